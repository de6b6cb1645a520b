"""Valid JSON with unexpected content, through the real worker: each call gets its record, or is broken alone."""

import pytest

from shared.contract.rejection import Reason
from shared.contract.topics import MAX_EVENT_BYTES, Topics
from shared.store.models import CallUpdate
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.states import State
from tests.support.events.makers import STARTED, Json, event, raw
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import message, records, send
from tests.support.store.makers import document, state_of

UNFOLDABLE = "org-789/unfoldable"
NOTE = raw(event("call.note"))
REFUSED = {
    Reason.NOT_JSON: NOTE.replace(b'"Said thanks"', b"NaN"),
    Reason.TOO_DEEP: NOTE.replace(b'"Said thanks"', b"[" * 100_000 + b"]" * 100_000),
}
REFERENCES = {"$ref": "calls", "$id": 27, "$db": {"$oid": "$27"}, "a.b": {"$set": {"state": "live"}}, "": None}


def whole_call(call: str, *between: Json) -> list[Json]:
    return [event("call.started", call=call), *between, event("call.ended", call=call, at=STARTED + 60_000)]


@pytest.mark.usefixtures("worker")
async def test_unexpected_content_stops_nothing(kafka_bootstrap: str, topics: Topics, connection: Connection) -> None:
    padding = "x" * (MAX_EVENT_BYTES - 1_000)
    notes = [event("call.note", call="heavy", at=STARTED + n, event=f"{n}{padding}") for n in range(17)]
    calls = [
        *whole_call("references", event("call.updated", call="references", metadata=REFERENCES)),
        *whole_call("deep", event("call.updated", call="deep", metadata={"nested": _nested(55)})),
        *whole_call("wide", event("call.updated", call="wide", metadata={"number": 2**63 - 1, "other": -(2**63)})),
        *whole_call("wider", event("call.updated", call="wider", metadata={"number": 2**64, "digits": 10**999})),
        *whole_call("keys", event("call.updated", call="keys", metadata={"a": 1, "a\0b": 2, "half \ud83d": "\ude00"})),
        *whole_call("heavy", *notes),
        *whole_call("spelled", event("call.updated", call="spelled", direction=" in ", agent_id=7)),
        *whole_call("other"),
    ]
    store = MongoStore(connection)
    await store.insert([document(UNFOLDABLE, content=b'{"specversion":"1.0"}')])
    await store.mark_stale([CallUpdate(UNFOLDABLE, 0, 0, stale=True)])
    messages = [message(body, topics) for body in calls]
    poison = [{"topic": topics.telephony, "key": b"call-456", "value": value} for value in REFUSED.values()]

    await send(kafka_bootstrap, [*messages[:5], *poison, *messages[5:]])

    await wait_for(connection, expected(calls))
    letters = await records(kafka_bootstrap, topics.dead_letter)
    assert {dict(letter.headers)["reason"].decode(): letter.value for letter in letters} == REFUSED
    await eventually(lambda: _is_broken(store))


def _nested(depth: int) -> Json:
    return {"a": _nested(depth - 1)} if depth else {}


async def _is_broken(store: MongoStore) -> bool:
    return await state_of(store, UNFOLDABLE) is State.BROKEN
