"""What all workers, and the API, must have in common, as fingerprints that can be stored and compared."""

import hashlib
import hmac
from collections.abc import Mapping

from shared.config.policies import Policies
from shared.contract.strict.vouching import CONTRACT_VERSION
from shared.fold.fold import RULES_VERSION
from shared.fold.prices import PriceBook

_DIGITS = 16

CONSEQUENCES: Mapping[str, str] = {
    "rules": "which rules a record is made by depends on who folds the call",
    "contract": "which events of a call are valid, and as what they are read, depends on who folds the call",
    "price_book": "which prices a call is rated by depends on who folds it",
    "policies": "when a call is ended or deleted depends on which worker owns its partition",
    "log_id_hmac_key": "events that are delivered again are stored again",
}
"""What a difference leads to, by setting."""


def of_reader(book: PriceBook) -> dict[str, str]:
    """Return the settings of a program that folds calls and does not store them."""
    return {
        "rules": str(RULES_VERSION),
        "contract": str(CONTRACT_VERSION),
        "price_book": f"{book.version} {_digest(repr(book))}",
    }


def of_worker(book: PriceBook, policies: Policies, log_id_hmac_key: bytes) -> dict[str, str]:
    """Return the settings of a worker. The key itself cannot be found from its fingerprint."""
    key = hmac.digest(log_id_hmac_key, b"fingerprint of the fleet", "sha256").hex()[:_DIGITS]
    return {**of_reader(book), "policies": _digest(repr(policies)), "log_id_hmac_key": key}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
