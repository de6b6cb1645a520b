"""Makers of events: a test gives only what matters to it, the rest is like the seed call.

    event("call.ended", at=STARTED + 5_000, ended_by="user")

is a CloudEvent as an object. What its type requires has a default; whatever else stands by name becomes its `data`.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import orjson

from shared.contract.envelope import Event, InvalidEvent, decode
from shared.fold.fold import fold
from shared.fold.prices import Price, PriceBook
from shared.fold.prices import PriceList as BookPrices
from tests.support.reference.cost import SHIPPED, PriceList

Json = dict[str, Any]

CREATED = 1_703_097_600_000
STARTED = CREATED + 30_000
HELLO = "Hello, thank you for calling. How can I help you today?"

_REQUIRED: dict[str, Json] = {
    "call.dtmf": {"digits": "27"},
    "call.note": {"event": "Said thanks"},
    "call.ended": {"disconnection_reason": "user_hangup"},
    "call.failed": {"disconnection_reason": "error_sip"},
    "recording.available": {"recording_url": "https://storage.azure.com/recordings/call-456.mp4"},
    "transcript.turn": {"role": "assistant", "content": HELLO},
    "transcript.retracted": {"turn_id": "turn-1", "revision": 0},
    "tool.called": {"tool_call_id": "tool-1", "name": "find_order"},
    "tool.returned": {"tool_call_id": "tool-1", "content": "found"},
    "latency.sampled": {"component": "e2e", "value_ms": 250.5},
    "usage.reported": {"product": "llm_usage", "quantity": 50},
    "cost.reported": {"product": "carrier", "cost": "0.03"},
    "call.analyzed": {"analysis": {"sentiment": "positive"}},
}
_numbers = count(1)


def event(
    kind: str,
    *,
    at: int = STARTED,
    id: str | None = None,  # noqa: A002 - the attribute's own name
    source: str = "/twilio/AC0001",
    sequence: str | int | None = None,
    call: str = "call-456",
    organization: str = "org-789",
    **data: Any,
) -> Json:
    """Return a CloudEvent as an object; `at` is Unix milliseconds.

    Each has an `id` of its own by default, and of two with the same `at` the one made later is the later.
    """
    envelope = {
        "specversion": "1.0",
        "id": f"{next(_numbers):08}" if id is None else id,
        "source": source,
        "type": kind,
        "subject": call,
        "time": rfc3339(at),
        "organizationid": organization,
    }
    return envelope | ({} if sequence is None else {"sequence": sequence}) | {"data": _REQUIRED.get(kind, {}) | data}


def rfc3339(at: int) -> str:
    """Return the time as producers write it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def raw(body: Json) -> bytes:
    """Return the event as a record's value, in structured mode."""
    return json.dumps(body, ensure_ascii=False).encode()


def binary(body: Json) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return the event as a record's value and headers, in binary mode."""
    attributes = {name: value for name, value in body.items() if name != "data" and value is not None}
    headers = [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()]
    return orjson.dumps(body["data"]) if "data" in body else b"", headers


def decoded(bodies: Iterable[Json]) -> list[Event]:
    """Return the events as they are read from a record; all must be valid."""
    events = []
    for body in bodies:
        read = decode(raw(body))
        if isinstance(read, InvalidEvent):
            raise AssertionError(f"{read.detail}: {body}")  # noqa: TRY004 - the test's own input is wrong
        events.append(read)
    return events


def record(*bodies: Json, prices: tuple[PriceList, ...] = (SHIPPED,)) -> Json:
    """Return the record of a call as a reader gets it: as JSON."""
    record: Json = orjson.loads(orjson.dumps(fold(decoded(bodies), book(*prices)).record))
    return record


def book(*price_lists: PriceList) -> PriceBook:
    """Return a price book of the folder's own kind, by default the one that ships."""
    return PriceBook("test", [_in_decimals(prices) for prices in price_lists or (SHIPPED,)])


def _in_decimals(prices: PriceList) -> BookPrices:
    return BookPrices(
        effective=prices.effective,
        products={
            name: Price(Decimal(price), "duration" if billed == "duration" else "unit")
            for name, (price, billed) in prices.products.items()
        },
        increment=Decimal(prices.increment),
        minimum=Decimal(prices.minimum),
    )
