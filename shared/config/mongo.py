"""The settings of the connection to MongoDB."""

from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

from shared.config import tls
from shared.config.mongo_access import MongoAccess
from shared.config.tls import CaFile

_UNVERIFIED = {"tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames"}
_IDENTITY = "a certificate in PEM with its key; CALLFOLD_MONGO_KEY_PASSWORD is the password of an encrypted key"


def _verifying(uri: SecretStr) -> SecretStr:
    options = parse_qsl(uri.get_secret_value().partition("?")[2], keep_blank_values=True)
    if not _UNVERIFIED.isdisjoint(name.lower() for name, _ in options):
        raise PydanticCustomError(
            "unverified", "certificates and host names are always verified: remove the option that turns this off"
        )
    return uri


class MongoSettings(BaseSettings):
    """The address of MongoDB, and credentials."""

    mongo_uri: Annotated[SecretStr, AfterValidator(_verifying)] = Field(
        SecretStr("mongodb://127.0.0.1:27017/?replicaSet=rs"), description="MongoDB URI of a replica set"
    )
    mongo_database: str = Field("callfold", pattern=r"^[A-Za-z0-9_-]{1,60}$", description="MongoDB database")
    mongo_username: str | None = Field(None, min_length=1, description="MongoDB user, unless the URI has one")
    mongo_password: SecretStr | None = Field(
        None, min_length=1, validate_default=True, description="Password of the MongoDB user"
    )
    mongo_ca_file: CaFile | None = Field(
        None, description="Trusted CA certificates (PEM) in place of the system's; turns TLS on"
    )
    # The certificate is last: its validator loads it together with its key.
    mongo_key_password: SecretStr | None = Field(None, min_length=1, description="Password of the certificate's key")
    mongo_certificate_file: Path | None = Field(
        None, validate_default=True, description="Client certificate with its key (PEM); turns TLS on"
    )

    @field_validator("mongo_password")
    @classmethod
    def _with_a_user(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if password is None and info.data.get("mongo_username") is not None:
            raise PydanticCustomError("missing", "is required with CALLFOLD_MONGO_USERNAME")
        if password is not None and info.data.get("mongo_username", "") is None:
            raise PydanticCustomError("useless", "has no effect without CALLFOLD_MONGO_USERNAME: set both or none")
        return password

    @field_validator("mongo_certificate_file")
    @classmethod
    def _with_mongo_key(cls, certificate: Path | None, info: ValidationInfo) -> Path | None:
        password = info.data.get("mongo_key_password")
        if certificate is None and password:
            raise PydanticCustomError("missing", "is required with CALLFOLD_MONGO_KEY_PASSWORD")
        if certificate is not None and "mongo_key_password" in info.data:
            try:
                tls.load_certificate(tls.client_context(None), certificate, None, password)
            except OSError as error:
                raise tls.file_error(error, _IDENTITY) from error
        return certificate

    @property
    def mongo(self) -> MongoAccess:
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
