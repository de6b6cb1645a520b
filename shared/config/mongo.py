"""The settings that say how MongoDB is reached; together they make a `MongoAccess`."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

from shared.config import tls
from shared.config.mongo_access import MongoAccess
from shared.config.tls import Authorities

_UNVERIFIED = {"tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames"}
_IDENTITY = "a certificate in PEM with its key, which CALLFOLD_MONGO_KEY_PASSWORD unlocks if it is locked"


def _verifying(uri: SecretStr) -> SecretStr:
    options = parse_qsl(uri.get_secret_value().partition("?")[2], keep_blank_values=True)
    if not _UNVERIFIED.isdisjoint(name.lower() for name, _ in options):
        raise PydanticCustomError("unverified", "certificates and host names are always verified")
    return uri


class MongoSettings(BaseSettings):
    """Where MongoDB is, and who comes."""

    mongo_uri: Annotated[SecretStr, AfterValidator(_verifying)] = Field(
        SecretStr("mongodb://127.0.0.1:27017/?replicaSet=rs"), description="MongoDB, a replica set, as its URI"
    )
    mongo_database: str = Field("callfold", pattern=r"^[A-Za-z0-9_-]{1,60}$", description="MongoDB's database")
    mongo_driver: Literal["motor", "pymongo"] = Field("motor", description="The Python driver that talks to MongoDB")
    mongo_username: str | None = Field(None, min_length=1, description="The user, if the URI does not name one")
    mongo_password: SecretStr | None = Field(
        None, min_length=1, validate_default=True, description="The user's password"
    )
    mongo_ca_file: Authorities | None = Field(
        None, description="Certificates (PEM) of those who vouch for MongoDB, in place of the system's; turns TLS on"
    )
    # The certificate comes last: it is tried with its key.
    mongo_key_password: SecretStr | None = Field(None, min_length=1, description="What unlocks the certificate's key")
    mongo_certificate_file: Path | None = Field(
        None, validate_default=True, description="A certificate with its key (PEM) to show to MongoDB; turns TLS on"
    )

    @field_validator("mongo_password")
    @classmethod
    def _with_a_user(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if password is None and info.data.get("mongo_username") is not None:
            raise PydanticCustomError("missing", "needed with CALLFOLD_MONGO_USERNAME")
        if password is not None and info.data.get("mongo_username", "") is None:
            raise PydanticCustomError("useless", "is of no use without CALLFOLD_MONGO_USERNAME")
        return password

    @field_validator("mongo_certificate_file")
    @classmethod
    def _with_mongo_key(cls, certificate: Path | None, info: ValidationInfo) -> Path | None:
        password = info.data.get("mongo_key_password")
        if certificate is None and password:
            raise PydanticCustomError("missing", "needed with its key's password")
        if certificate is not None and "mongo_key_password" in info.data:
            try:
                tls.show(tls.trusting(None), certificate, None, password)
            except OSError as error:
                raise tls.refusal(error, _IDENTITY) from error
        return certificate

    @property
    def mongo(self) -> MongoAccess:
        """How to reach MongoDB."""
        return MongoAccess(
            self.mongo_uri.get_secret_value(),
            self.mongo_username,
            _text(self.mongo_password),
            self.mongo_ca_file,
            self.mongo_certificate_file,
            _text(self.mongo_key_password),
        )


def _text(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
