"""Makers of events: a test gives only what matters to it, the rest is a call like the one in the README.

    event("call.ended", at=STARTED + 5_000, ended_by="user")

is a CloudEvent as an object. Required fields have defaults; other keyword arguments are fields of its `data`.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import orjson

from shared.contract.decode_event import Event, InvalidEvent, decode
from shared.contract.rejection import Reason
from shared.contract.timestamps import LATEST_MS
from shared.fold.call_details import call_details
from shared.fold.fold import fold
from shared.fold.prices import Price, PriceBook
from shared.fold.prices import PriceList as FoldPriceList
from tests.support.reference.cost import SHIPPED, PriceList

Json = dict[str, Any]

CREATED = 1_703_097_600_000
STARTED = CREATED + 30_000
HELLO = "Hello, thank you for calling. How can I help you today?"

_REQUIRED: dict[str, Json] = {
    "call.dtmf": {"digits": "27"},
    "call.classified": {"answered_by": "human"},
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
    /,
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

    Without `id` each has a new one, so that of two events with the same `at` the one made later is the later.
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
    """Return the time in the form that most producers use."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def raw(body: Json) -> bytes:
    # Of a lone surrogate there is no UTF-8, but the escape that JSON has for it.
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")


def binary(body: Json) -> tuple[bytes, list[tuple[str, bytes]]]:
    attributes = {name: value for name, value in body.items() if name != "data" and value is not None}
    headers = [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()]
    return raw(body["data"]) if "data" in body else b"", headers


def accepted(value: bytes | None, *headers: tuple[str, bytes | None], arrival: int = LATEST_MS) -> Event:
    """Return the event in a record's value and headers, which must be valid; by default its clock is not ahead."""
    read = decode(value, headers, arrival=arrival)
    assert isinstance(read, Event), f"{read}: {value!r}"
    return read


def rejected(value: bytes | None, *headers: tuple[str, bytes | None]) -> tuple[Reason, str]:
    """Return why a record's value and headers, which must be invalid, are rejected: the reason and the sentence."""
    read = decode(value, headers, arrival=LATEST_MS)
    assert isinstance(read, InvalidEvent), f"accepted: {read}"
    return read.reason, read.detail


def decoded(bodies: Iterable[Json]) -> list[Event]:
    return [accepted(raw(body)) for body in bodies]


def record(*bodies: Json, prices: tuple[PriceList, ...] = (SHIPPED,)) -> Json:
    """Return the record of a call as a reader gets it, from JSON."""
    folded: Json = orjson.loads(orjson.dumps(fold(decoded(bodies), book(*prices)).record))
    return folded


def details(*bodies: Json) -> Json:
    """Return the details of a call, without their envelope, as a reader gets them, from JSON."""
    found: Json = orjson.loads(orjson.dumps(call_details(decoded(bodies), book())))
    return found


def book(*price_lists: PriceList) -> PriceBook:
    """Return a price book for the fold, by default with the prices that ship."""
    return PriceBook("test", [_in_decimals(price_list) for price_list in price_lists or (SHIPPED,)])


def _in_decimals(price_list: PriceList) -> FoldPriceList:
    return FoldPriceList(
        effective=price_list.effective,
        products={
            name: Price(Decimal(price), "duration" if billed == "duration" else "unit")
            for name, (price, billed) in price_list.products.items()
        },
        increment=Decimal(price_list.increment),
        minimum=Decimal(price_list.minimum),
        exchange_rates={currency: Decimal(rate) for currency, rate in price_list.rates.items()},
    )
