"""How every program reaches Kafka: where it is, and as whom."""

from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any


@dataclass(frozen=True, slots=True)
class Sasl:
    """A user, and how they prove who they are: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`."""

    mechanism: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """`bootstrap`: `host:port`, several with commas between them; `tls`: whom to trust, None for no TLS."""

    bootstrap: str
    tls: SSLContext | None = None
    sasl: Sasl | None = None

    def options(self) -> dict[str, Any]:
        """Return the arguments by which aiokafka's clients connect."""
        return {"bootstrap_servers": self.bootstrap, **self.security()}

    def security(self) -> dict[str, Any]:
        """Return those of them that say how."""
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
