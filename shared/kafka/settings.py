"""The settings that say how Kafka is reached; together they make a `KafkaAccess`."""

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

from shared.config import tls
from shared.config.tls import CaFile
from shared.kafka.access import KafkaAccess, Sasl

_BROKER = re.compile(r"(\[[0-9A-Fa-f:]+\]|[^\s,:\[\]]+)(:([0-9]{1,5}))?", re.ASCII)
_PORTS = range(1, 65_536)
_IDENTITY = "a certificate in PEM, with its key, in the file or in CALLFOLD_KAFKA_KEY_FILE, and the key's password"


def _brokers(text: str) -> str:
    for broker in text.split(","):
        found = _BROKER.fullmatch(broker.strip())
        if found is None or int(found[3] or 9092) not in _PORTS:
            raise PydanticCustomError("brokers", "must be `host:port`, several with commas between them")
    return text


class KafkaSettings(BaseSettings):
    """Where Kafka is, and who comes.

    What would be of no use beside the others is refused: whoever set it meant it to be of use.
    """

    kafka_bootstrap: Annotated[str, AfterValidator(_brokers)] = Field("127.0.0.1:9092", description="Kafka's brokers")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Whether there is TLS to Kafka (SSL), and a user (SASL)"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, validate_default=True, description="How the user shows who it is, with SASL"
    )
    kafka_username: str | None = Field(None, min_length=1, validate_default=True, description="The user, with SASL")
    kafka_password: SecretStr | None = Field(
        None, min_length=1, validate_default=True, description="The user's password, with SASL"
    )
    kafka_ca_file: CaFile | None = Field(
        None, description="Certificates (PEM) of those who vouch for the brokers, in place of the system's"
    )
    # The certificate comes last: it is tried with its key.
    kafka_key_password: SecretStr | None = Field(None, min_length=1, description="What unlocks the certificate's key")
    kafka_key_file: Path | None = Field(None, description="The certificate's key (PEM), if it is not in the same file")
    kafka_certificate_file: Path | None = Field(
        None, validate_default=True, description="A certificate (PEM) to show to the brokers"
    )

    @field_validator("kafka_sasl_mechanism", "kafka_username", "kafka_password")
    @classmethod
    def _for_sasl(cls, value: Any, info: ValidationInfo) -> Any:
        protocol = info.data.get("kafka_security_protocol", "")
        if value is None and protocol.startswith("SASL_"):
            raise PydanticCustomError("missing", "needed with SASL")
        if value is not None and protocol in ("PLAINTEXT", "SSL"):
            raise _useless("SASL_SSL or SASL_PLAINTEXT")
        return value

    @field_validator("kafka_ca_file", "kafka_key_password", "kafka_key_file", "kafka_certificate_file")
    @classmethod
    def _for_tls(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("kafka_security_protocol", "").endswith("PLAINTEXT"):
            raise _useless("SSL or SASL_SSL")
        return value

    @field_validator("kafka_certificate_file")
    @classmethod
    def _with_kafka_key(cls, certificate: Path | None, info: ValidationInfo) -> Path | None:
        key, password = info.data.get("kafka_key_file"), info.data.get("kafka_key_password")
        if certificate is None and (key or password):
            raise PydanticCustomError("missing", "needed with its key")
        if certificate is not None and {"kafka_key_file", "kafka_key_password"} <= info.data.keys():
            try:
                tls.load_certificate(tls.client_context(None), certificate, key, password)
            except OSError as error:
                raise tls.file_error(error, _IDENTITY) from error
        return certificate

    @cached_property
    def kafka(self) -> KafkaAccess:
        """How to reach Kafka."""
        context = sasl = None
        if self.kafka_security_protocol.endswith("SSL"):
            context = tls.client_context(self.kafka_ca_file)
            if self.kafka_certificate_file:
                tls.load_certificate(context, self.kafka_certificate_file, self.kafka_key_file, self.kafka_key_password)
        if self.kafka_sasl_mechanism and self.kafka_username and self.kafka_password:
            sasl = Sasl(self.kafka_sasl_mechanism, self.kafka_username, self.kafka_password.get_secret_value())
        return KafkaAccess(self.kafka_bootstrap, context, sasl)


def _useless(protocols: str) -> PydanticCustomError:
    needed = "is of no use unless CALLFOLD_KAFKA_SECURITY_PROTOCOL is {protocols}"
    return PydanticCustomError("useless", needed, {"protocols": protocols})
