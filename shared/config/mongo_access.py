"""The connection to MongoDB: its address and credentials."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class MongoAccess:
    """The other fields override what `uri` has.

    `ca_file` or `certificate_file`, both PEM, turn TLS on. The latter has a certificate with its key; `key_password`
    decrypts the key.
    """

    uri: str = field(repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_password: str | None = field(default=None, repr=False)

    def options(self) -> dict[str, Any]:
        """Return the driver's arguments besides the URI."""
        given = {
            "username": self.username,
            "password": self.password,
            "tls": True if self.ca_file or self.certificate_file else None,
            "tlsCAFile": self.ca_file and str(self.ca_file),
            "tlsCertificateKeyFile": self.certificate_file and str(self.certificate_file),
            "tlsCertificateKeyFilePassword": self.key_password,
        }
        return {name: value for name, value in given.items() if value is not None}
