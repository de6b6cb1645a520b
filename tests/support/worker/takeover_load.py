"""A small load with which a worker reaches every crash point: ends, late events, opt-outs, invalid records."""

from shared.contract.topics import Topics
from tests.support.events.makers import STARTED, Json, event
from tests.support.servers.kafka import Message

SAID = "the code is 1729"
"""Content of every call; in the end it may be nowhere for an opted-out one."""

# Most of these keys lie in one partition of three: a batch holds several calls of each kind.
_OPTED_OUT_EARLY = ("call-0", "call-1", "call-2")
_OPTED_OUT_LATE = ("call-3", "call-4", "call-5")
_ORDINARY = ("call-6", "call-7")
_NEW = ("call-8", "call-9", "call-10", "call-11")
_NEW_OPTED_OUT = _NEW[-1:]
_EARLIER = (*_OPTED_OUT_EARLY, *_OPTED_OUT_LATE, *_ORDINARY)

OPTED_OUT = frozenset({*_OPTED_OUT_EARLY, *_OPTED_OUT_LATE, *_NEW_OPTED_OUT})

POISON = (b"no JSON", b"[]", b'{"hello": "world"}')


def earlier() -> list[Json]:
    """Return calls from their first event to their last."""
    return [body for call in _EARLIER for body in _call(call)] + [_opting_out(call) for call in _OPTED_OUT_EARLY]


def later() -> list[Json]:
    """Return late events of the earlier calls, on both topics, and calls that are new."""
    late = [body for call in _EARLIER for body in _late(call)]
    new = [body for call in _NEW for body in _call(call)]
    return late + new + [_opting_out(call) for call in (*_OPTED_OUT_LATE, *_NEW_OPTED_OUT)]


def poison(topics: Topics) -> list[Message]:
    """Return invalid records, all of one partition, so that one batch rejects several."""
    return [{"topic": topics.telephony, "partition": 1, "key": b"k", "value": value} for value in POISON]


def _call(call: str) -> list[Json]:
    return [
        event("call.started", call=call),
        event("transcript.turn", at=STARTED + 1_000, call=call, content=SAID),
        event("usage.reported", at=STARTED + 2_000, call=call),
        event("call.ended", at=STARTED + 9_000, call=call),
    ]


def _late(call: str) -> list[Json]:
    return [
        event("call.note", at=STARTED + 3_000, call=call, event=SAID),
        event("transcript.turn", at=STARTED + 4_000, call=call, source="/late", content=SAID),
    ]


def _opting_out(call: str) -> Json:
    return event("call.updated", at=STARTED + 5_000, call=call, opt_out_sensitive_data_storage=True)
