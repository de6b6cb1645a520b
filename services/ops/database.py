"""Access to the store; `__main__` chooses which store it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.ops.errors import CommandError
from services.ops.settings import MONGO, OpsSettings
from shared.store.ports import AccessRefused, ApiKeys, Store, StoreUnavailable, WriteProbe

TIMEOUT_MS = 10_000

_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Database:
    """What commands use of the store."""

    store: Store
    keys: ApiKeys
    probe: WriteProbe


@contextmanager
def translate_errors(settings: OpsSettings) -> Iterator[None]:
    """Raise StoreUnavailable as a CommandError."""
    try:
        yield
    except StoreUnavailable as error:
        hosts = settings.address(MONGO)
        problem = "refuses" if isinstance(error, AccessRefused) else "does not answer (CALLFOLD_MONGO_URI)"
        raise CommandError(f"MongoDB at {hosts} {problem}: {str(error)[:_MOST_CHARACTERS]}") from error
