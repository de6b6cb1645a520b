"""A client of the console in this process, which follows no redirect by itself.

console = await logged_in("support")
page = await console.get("/calls/org-789/call-456")
"""

import re
from functools import cache
from typing import Any, Self

import httpx
from argon2 import PasswordHasher

from services.console.access.accounts import Accounts, parsed
from services.console.app import ConsoleDependencies, create_app
from services.console.settings import ConsoleSettings
from services.console.watching.monitor import Monitor
from services.console.watching.prometheus import Prometheus
from shared.fold_pool.in_process import InProcessFolds
from shared.store.memory.calls import MemoryStore
from shared.store.ports import Store
from tests.support.events.makers import book

PASSWORD = "correct horse"  # noqa: S105
NOWHERE = "http://127.0.0.1:9"
"""Nothing listens there."""


@cache
def _hashed() -> str:
    # As cheap as can be: what it costs to hash is not what is tested.
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def accounts() -> Accounts:
    """Return an account for each role, named as the role."""
    return parsed({role: {"role": role, "password": _hashed()} for role in ("viewer", "support", "operator")})


class Client:
    """Keeps cookies."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    @classmethod
    def of(
        cls,
        store: Store | None = None,
        *,
        address: str = "127.0.0.1",
        monitor: str = NOWHERE,
        prometheus: str = NOWHERE,
        **settings: Any,
    ) -> Self:
        """Return a client of a console of its own, which sees it at `address`."""
        settings = {"console_logins_per_minute": 1_000} | settings
        loaded = ConsoleSettings(**settings)
        store = store or MemoryStore()
        folds = InProcessFolds(store, book())
        dependencies = ConsoleDependencies(store, book(), accounts(), Monitor(monitor), folds, Prometheus(prometheus))
        return cls.at(create_app(loaded, dependencies), address)

    @classmethod
    def at(cls, app: Any, address: str = "127.0.0.1") -> Self:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1234))
        return cls(httpx.AsyncClient(transport=transport, base_url="http://console"))

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        return await self.client.post(path, data=fields, headers=headers)

    async def log_in(self, name: str, password: str = PASSWORD, **fields: Any) -> httpx.Response:
        return await self.post("/login", name=name, password=password, **fields)

    async def csrf(self) -> str:
        """Return the token of this session's forms."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get("/")).text)
        assert found is not None
        return found[1]


async def logged_in(role: str, store: Store | None = None, **settings: Any) -> Client:
    """Return the client of an account of this role."""
    client = Client.of(store, **settings)
    answer = await client.log_in(role)
    assert answer.status_code == httpx.codes.SEE_OTHER
    return client
