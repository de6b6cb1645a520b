"""Reading records as the API would, and comparing them with the reference fold."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from shared.calls.read_call import Finality, read_call
from shared.config.price_book import load
from shared.contract.ids import call_key
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.events.makers import Json
from tests.support.eventually import scaled
from tests.support.reference.cost import Book
from tests.support.reference.fold import reference_fold

BOOK = load()


def by_call(bodies: Iterable[Json]) -> dict[str, list[Json]]:
    """Return events by the key of their call."""
    calls: defaultdict[str, list[Json]] = defaultdict(list)
    for body in bodies:
        calls[call_key(body["organizationid"], body["subject"])].append(body)
    return dict(calls)


def expected(bodies: Iterable[Json]) -> dict[str, Any]:
    """Return the record of each call by the reference fold, as JSON."""
    return {
        call: orjson.loads(orjson.dumps(reference_fold(events, Book()))) for call, events in by_call(bodies).items()
    }


async def read(connection: Connection, call: str) -> tuple[Any, Finality | None]:
    """Return a record as the API would serve it, and its finality; None and None if there is none."""
    reading = await read_call(MongoStore(connection), call, BOOK)
    return (None, None) if reading is None else (orjson.loads(reading.body), reading.finality)


async def wait_for(
    connection: Connection, wanted: Mapping[str, Any], finality: Finality | None = Finality.FINAL, within: float = 120.0
) -> None:
    """Return when every call has the wanted record; fail with the first that does not."""
    deadline = time.monotonic() + scaled(within)
    missing = dict(wanted)
    while missing:
        for call, record in list(missing.items()):
            found, stands = await read(connection, call)
            if found == record and finality in (None, stands):
                del missing[call]
            elif time.monotonic() > deadline:
                differ = [key for key in record if found is None or found[key] != record[key]]
                raise AssertionError(f"{len(missing)} records are not right; {call} is {stands}, differs in {differ}")
        await asyncio.sleep(0.1)
