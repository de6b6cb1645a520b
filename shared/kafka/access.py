"""Where Kafka is, and how a client authenticates: the same for every program."""

from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any


@dataclass(frozen=True, slots=True)
class Sasl:
    """A user; `mechanism` is `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`."""

    mechanism: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """`bootstrap`: `host:port`, several separated by commas; `tls` is None for no TLS, `sasl` for no user."""

    bootstrap: str
    tls: SSLContext | None = None
    sasl: Sasl | None = None

    def options(self) -> dict[str, Any]:
        """Return all arguments with which aiokafka's clients connect."""
        return {"bootstrap_servers": self.bootstrap, **self.security()}

    def security(self) -> dict[str, Any]:
        """Return those arguments that are about TLS and the user."""
        transport = "SSL" if self.tls else "PLAINTEXT"
        if self.sasl is None:
            return {"security_protocol": transport, "ssl_context": self.tls}
        return {
            "security_protocol": f"SASL_{transport}",
            "ssl_context": self.tls,
            "sasl_mechanism": self.sasl.mechanism,
            "sasl_plain_username": self.sasl.username,
            "sasl_plain_password": self.sasl.password,
        }
