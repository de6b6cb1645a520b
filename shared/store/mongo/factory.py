"""How another process opens the same store: the choice of a program's entry, in a picklable form."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.config.mongo_access import MongoAccess
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, Driver
from shared.store.ports import Store

StoreFactory = Callable[[], Store]
"""Opens a store in the running event loop; picklable, because it is sent to another process."""


@dataclass(frozen=True, slots=True)
class MongoStoreFactory:
    """Opens the store in MongoDB; `timeout_ms` bounds each of its operations."""

    access: MongoAccess
    database: str
    driver: Driver
    timeout_ms: int

    def __call__(self) -> Store:
        """Return the store; its connections are never closed."""
        return MongoStore(Connection(self.access, self.database, driver=self.driver, timeout_ms=self.timeout_ms))
