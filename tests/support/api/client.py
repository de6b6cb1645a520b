"""A client of the API in this process, and calls for it to read.

api = await reader()
await put(api.store, seed_call())
answer = await api.get("/api/calls/call-456")
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from services.api.app import ApiDependencies, create_app
from services.api.settings import ApiSettings
from shared.calls.fold_call import fold_documents, render
from shared.calls.large_calls import LargeCalls
from shared.contract.ids import call_key
from shared.fold.fold import RULES_VERSION
from shared.fold_pool.in_process import InProcessFolds
from shared.store.api_keys import new_key
from shared.store.ids import documents
from shared.store.memory.api_keys import MemoryApiKeys
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate, FoldResult, LogDocument, SourcePartition
from shared.store.ports import ApiKeys, Store
from tests.support.events.makers import Json, book, raw
from tests.support.store.makers import logged

PEPPER = "p" * 32
CONTENT_KEY = b"k" * 32


@dataclass
class Reader:
    """A client with a key, and its API; tests may change `headers`."""

    app: FastAPI
    store: Any
    keys: Any
    headers: dict[str, str]

    async def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> httpx.Response:
        """Return the response; `headers` replace those of the key that have the same name."""
        transport = httpx.ASGITransport(self.app)
        sent = [(name.encode(), value.encode()) for name, value in (self.headers | (headers or {})).items()]
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(method, path, headers=sent)


async def reader(
    store: Store | None = None,
    keys: ApiKeys | None = None,
    organization: str = "org-789",
    folds: LargeCalls | None = None,
    **settings: Any,
) -> Reader:
    """Return a client with a key of the organization, and an API of its own."""
    store, keys = store or MemoryStore(), keys or MemoryApiKeys()
    key, secret = new_key(organization, PEPPER.encode())
    await keys.add(key)
    folds = folds or InProcessFolds(store, book())
    dependencies = ApiDependencies(store, keys, book(), folds)
    app = create_app(ApiSettings(api_secret_pepper=SecretStr(PEPPER), **settings), dependencies)
    headers = {"X-API-KEY": key.api_key, "X-API-SECRET": secret, "Accept-Encoding": "identity"}
    return Reader(app, store, keys, headers)


async def put(store: Store, bodies: Sequence[Json], *, final: bool = False) -> None:
    """Store the events, all of one call; `final` folds them as the fold loop does."""
    call = call_key(bodies[0]["organizationid"], bodies[0]["subject"])
    source = SourcePartition("calls.telephony", 0)
    found = list(documents(call, source, logged(map(raw, bodies)), CONTENT_KEY))
    await store.insert(found)
    await store.mark_stale([CallUpdate(call, partition=0, last_arrival=0, stale=final)])
    if final:
        leases = await store.lease([call], "token")
        await store.store_results([(leases[0], _result(found))])


def beside_requests(lines: Iterable[Any]) -> list[Any]:
    """Return the lines of a log that are not of the access log."""
    return [line for line in lines if line["event"] != "request"]


async def break_call(store: Store, call: str) -> None:
    """Mark a call, which need not exist, as one that cannot be folded."""
    await store.mark_stale([CallUpdate(call, partition=0, last_arrival=0, stale=True)])
    await store.mark_broken(await store.lease([call], "token"))


def _result(found: Sequence[LogDocument]) -> FoldResult:
    folded, _ = fold_documents(found, book())
    rendered = render(folded.record)
    return FoldResult(
        record=folded.record,
        body=rendered.body,
        etag=rendered.etag,
        final=True,
        opted_out=False,
        events=folded.events,
        conflicts=folded.conflicts,
        problems=folded.problems,
        rules_version=RULES_VERSION,
        price_book_version="test",
    )
