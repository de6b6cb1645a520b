"""What a page says where MongoDB's answer would be."""

from shared.process.logs import logger
from shared.store.ports import AccessRefused, StoreUnavailable

_MOST_CHARACTERS = 200

log = logger(__name__)


def away(error: StoreUnavailable) -> str:
    """Return why nothing comes from MongoDB; the log has what its driver reports."""
    log.warning("mongodb_unavailable", why=str(error)[:_MOST_CHARACTERS])
    if isinstance(error, AccessRefused):
        return "MongoDB refuses the console's user: docs/security.md has the rights that it needs."
    return "MongoDB does not answer."
