"""Certificates in files: whose word is taken, and what one shows oneself. Host names are always verified."""

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticCustomError


def trusting(authorities: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the authorities of a file, the system's where there is none.

    Raises:
        OSError: the file cannot be read, or holds no certificate (`ssl.SSLError`).
    """
    return ssl.create_default_context(cafile=authorities)


def show(context: ssl.SSLContext, certificate: Path, key: Path | None, password: SecretStr | None) -> None:
    """Let the context show a certificate to whoever asks; `key` may stand in the same file.

    Raises:
        OSError: a file cannot be read, or the key is none, another one's or locked by another password (`SSLError`).
    """
    # Without a password at all OpenSSL would ask for it on the terminal.
    context.load_cert_chain(certificate, key, password.get_secret_value() if password else "")


def refusal(error: OSError, needed: str) -> PydanticCustomError:
    """Return what is said of a setting whose file does not do; `needed` is what it must be."""
    if isinstance(error, ssl.SSLError):
        return PydanticCustomError("certificate", "must be {needed}", {"needed": needed})
    return PydanticCustomError("unreadable", "cannot be read: {why}", {"why": error.strerror})


def _authorities(path: Path) -> Path:
    try:
        trusting(path)
    except OSError as error:
        raise refusal(error, "a file of certificates in PEM") from error
    return path


Authorities = Annotated[Path, AfterValidator(_authorities)]
"""A file with the certificates, in PEM, of those whose word is taken."""
