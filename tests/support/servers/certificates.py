"""Certificates for servers and clients of tests, in files, by an authority of their own."""

import secrets
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from deploy.local.ports import HOST

KEY_PASSWORD = secrets.token_hex()


class Certificates:
    """`server` is for 127.0.0.1; `client` is locked with KEY_PASSWORD, `client_key` its key alone; all are PEM."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        authority = trustme.CA()
        self.authority = self._write("authority.pem", authority.cert_pem.bytes())
        self.stranger = self._write("stranger.pem", trustme.CA().cert_pem.bytes())
        self.server = self._write("server.pem", *_pems(authority.issue_cert(HOST), NoEncryption()))
        key, *chain = _pems(
            authority.issue_cert("callfold", common_name="callfold"), BestAvailableEncryption(KEY_PASSWORD.encode())
        )
        self.client = self._write("client.pem", key, *chain)
        self.client_key = self._write("client-key.pem", key)
        self.client_certificate = self._write("client-certificate.pem", *chain)

    def _write(self, name: str, *pems: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(b"".join(pems))
        path.chmod(0o600)
        return path


def _pems(issued: trustme.LeafCert, lock: KeySerializationEncryption) -> list[bytes]:
    """Return the key, as PKCS 8, which is the only form that Java reads, and the certificates."""
    key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    return [
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock),
        *(chained.bytes() for chained in issued.cert_chain_pems),
    ]
