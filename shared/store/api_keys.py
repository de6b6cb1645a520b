"""API keys: each lets its holder read the calls of one organization. The secret itself is stored nowhere."""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime

from shared.store.models import ApiKey

_SECRET_BYTES = 32
_KEY_BYTES = 12
_NO_DIGEST = "0" * hashlib.sha256().digest_size * 2


def new_key(organization_id: str, pepper: bytes, name: str | None = None) -> tuple[ApiKey, str]:
    """Return a new key and its secret, which cannot be recovered later."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    api_key = f"cf_{secrets.token_hex(_KEY_BYTES)}"
    created_at = datetime.now(UTC).replace(microsecond=0)
    return ApiKey(api_key, organization_id, digest(secret, pepper), created_at, name), secret


def digest(secret: str, pepper: bytes) -> str:
    """Return what is stored of a secret. It has 256 random bits, so that guessing needs no slow hash against it."""
    return hmac.new(pepper, secret.encode(), hashlib.sha256).hexdigest()


def opens(key: ApiKey | None, secret: str, pepper: bytes) -> bool:
    """Return whether the secret is that of a key that is not revoked; takes the same time for a missing key."""
    expected = key.digest if key is not None else _NO_DIGEST
    same = hmac.compare_digest(expected, digest(secret, pepper))
    return same and key is not None and key.revoked_at is None
