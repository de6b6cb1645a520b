"""How another process comes to the same store: what a program's entry chose, to be opened there."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.config.mongo_access import MongoAccess
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, Driver
from shared.store.ports import Store

StoreFactory = Callable[[], Store]
"""Opens a store in the loop that calls it; goes from process to process, and so must be picklable."""


@dataclass(frozen=True, slots=True)
class MongoStoreFactory:
    """Opens the store in MongoDB; `timeout_ms` bounds each of its operations."""

    access: MongoAccess
    database: str
    driver: Driver
    timeout_ms: int

    def __call__(self) -> Store:
        """Return the store, whose connections live as long as the process."""
        return MongoStore(Connection(self.access, self.database, driver=self.driver, timeout_ms=self.timeout_ms))
