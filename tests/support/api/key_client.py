"""A client of the authentication alone, and keys that count their reads.

client = Client(rejections=3)
assert await client.ask(*await client.add()) == "org-789"
"""

import asyncio
from dataclasses import dataclass, field

from services.api.errors import ApiError
from services.api.keys.authentication import Authentication, Limits
from shared.process.rate_limits import RateLimit
from shared.store.api_keys import new_key
from shared.store.memory.api_keys import MemoryApiKeys
from shared.store.models import ApiKey
from shared.store.ports import StoreUnavailable
from tests.support.api.client import PEPPER


class CountingKeys(MemoryApiKeys):
    """Counts its reads; answers a moment later, when `answers` is set, or fails while it is `unavailable`."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.unavailable = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def get(self, api_key: str) -> ApiKey | None:
        self.reads += 1
        await asyncio.sleep(0)
        await self.answers.wait()
        if self.unavailable:
            raise StoreUnavailable
        return await super().get(api_key)


@dataclass
class Client:
    """A client of an authentication whose clock stands still until the test moves it."""

    keys: CountingKeys = field(default_factory=CountingKeys)
    now: float = 100.0
    rejections: int = 0
    requests: int = 0

    def __post_init__(self) -> None:
        limits = Limits(
            RateLimit(self.rejections / 60, self.rejections, self.timer) if self.rejections else None,
            RateLimit(self.requests, self.requests, self.timer) if self.requests else None,
        )
        self.authentication = Authentication(self.keys, PEPPER.encode(), 1, limits, self.timer)

    def timer(self) -> float:
        return self.now

    async def add(self) -> tuple[str, str]:
        key, secret = new_key("org-789", PEPPER.encode())
        await self.keys.add(key)
        return key.api_key, secret

    async def ask(self, api_key: str, secret: str, address: str = "192.0.2.1") -> str:
        headers = [(b"x-api-key", api_key.encode()), (b"x-api-secret", secret.encode())]
        try:
            caller = await self.authentication.caller(headers, address)
            self.authentication.check_rate(caller)
        except ApiError as error:
            return str(error.envelope["message"])
        return caller.organization_id
