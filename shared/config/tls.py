"""Certificates in files: those that are trusted, and the one to present. Host names are always verified."""

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticCustomError


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the certificates of a file, or the system's if there is none.

    Raises:
        OSError: the file cannot be read, or has no certificate (`ssl.SSLError`).
    """
    return ssl.create_default_context(cafile=ca_file)


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None, password: SecretStr | None) -> None:
    """Let the context present a certificate; its key may be in the same file.

    Raises:
        OSError: a file cannot be read, or the key is invalid, of another certificate, or has another password.
    """
    # With no password at all OpenSSL would ask for it on the terminal.
    context.load_cert_chain(certificate, key, password.get_secret_value() if password else "")


def file_error(error: OSError, needed: str) -> PydanticCustomError:
    """Return the error for a setting whose file is unusable; `needed` is what the setting must be."""
    if isinstance(error, ssl.SSLError):
        return PydanticCustomError("certificate", "must be {needed}", {"needed": needed})
    return PydanticCustomError("unreadable", "cannot be read: {why}", {"why": error.strerror})


def _with_certificates(path: Path) -> Path:
    try:
        client_context(path)
    except OSError as error:
        raise file_error(error, "a file of certificates in PEM") from error
    return path


CaFile = Annotated[Path, AfterValidator(_with_certificates)]
"""A file of trusted certificates in PEM."""
