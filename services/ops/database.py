"""Access to the store; `__main__` chooses which store it is."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass

from services.ops.errors import CommandError
from services.ops.settings import OpsSettings
from shared.store.ports import AccessRefused, ApiKeys, Store, StoreUnavailable

TIMEOUT_MS = 10_000

_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Database:
    """What commands use of the store."""

    store: Store
    keys: ApiKeys


Opening = Callable[[OpsSettings], AbstractAsyncContextManager[Database]]
"""Opens the database that the settings name."""


@contextmanager
def translate_errors(settings: OpsSettings) -> Iterator[None]:
    """Raise StoreUnavailable as a CommandError."""
    try:
        yield
    except StoreUnavailable as error:
        hosts = address(settings.mongo_uri.get_secret_value())
        problem = "refuses" if isinstance(error, AccessRefused) else "does not answer (CALLFOLD_MONGO_URI)"
        raise CommandError(f"MongoDB at {hosts} {problem}: {str(error)[:_MOST_CHARACTERS]}") from error


def address(uri: str) -> str:
    """Return the hosts of a valid URI, without the user and the password."""
    return uri.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].rpartition("@")[2]
