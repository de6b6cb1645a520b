"""Reaching the store: which one it is, `__main__` says."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass

from services.ops.errors import Failure
from services.ops.settings import OpsSettings
from shared.store.ports import AccessRefused, ApiKeys, Store, StoreUnavailable

TIMEOUT_MS = 10_000

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Database:
    """What a command may ask of the store."""

    store: Store
    keys: ApiKeys


Opening = Callable[[OpsSettings], AbstractAsyncContextManager[Database]]
"""Opens the database that the settings name."""


@contextmanager
def asking(settings: OpsSettings) -> Iterator[None]:
    """Turn a store that does not answer into a Failure of one line."""
    try:
        yield
    except StoreUnavailable as error:
        place = address(settings.mongo_uri.get_secret_value())
        how = "refuses" if isinstance(error, AccessRefused) else "does not answer (CALLFOLD_MONGO_URI)"
        raise Failure(f"MongoDB at {place} {how}: {str(error)[:_SHOWN]}") from error


def address(uri: str) -> str:
    """Return the hosts of a valid URI, without the user and the password."""
    return uri.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].rpartition("@")[2]
