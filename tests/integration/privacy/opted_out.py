"""Calls that opted out, with a mark in every field that opting out takes, and invalid records with marks."""

import random
import uuid

from shared.contract.payloads import TYPES
from shared.contract.topics import Topics
from tests.faults.load import private
from tests.faults.load.private import private_data
from tests.support.events.makers import Json, binary, event, raw
from tests.support.servers.kafka import Message

LARGE_TURNS = 50


class Marks:
    """The marks of `private` in a spelling of this run alone, in sent events and where they are looked for."""

    def __init__(self) -> None:
        self.word = f"between-{uuid.uuid4().hex}"
        # Also part of times and of fractions: its first digits say when, and the last one is no zero that is left out.
        self.number = f"72973{random.randrange(1_000):03}1"

    def __call__(self, sent: bytes) -> bytes:
        for mark, own in zip(private.MARKS, (self.word, self.number), strict=True):
            sent = sent.replace(mark, own.encode())
        return sent


def whole(call: str) -> list[Json]:
    """Return an opted-out call that has every field of the contract."""
    kinds = [event(kind, call=call, **private_data(kind)) for kind in TYPES]
    return [event("call.created", call=call, opt_out_sensitive_data_storage=True), *kinds]


def with_wrong_fields(call: str) -> list[Json]:
    """Return events with values that cannot be read: private ones with marks, and others next to private ones."""
    word, wrong = private.PRIVATE, {"n": private.PRIVATE}
    about, turn, returned = (private_data(kind) for kind in ("call.started", "transcript.turn", "tool.returned"))
    return [
        event("call.updated", call=call, **about | {"from_number": wrong, "to_number": [word], "recording_url": wrong}),
        event("call.updated", call=call, **about | {"start_timestamp": "noon", "call_type": 5, "metadata": "none"}),
        event("call.updated", call=call, **about) | {"time": "noon"},
        event("transcript.turn", call=call, **turn | {"words": word, "end_timestamp": word, "confidence": word}),
        event("tool.returned", call=call, **returned | {"successful": word, "timestamp": word, "duration_ms": word}),
        event("call.failed", call=call, message=wrong, sip_code="none"),
        event("call.note", call=call, event=word, data=word),
    ]


def large(call: str) -> list[Json]:
    """Return an opted-out call that is folded by a process of the fold pool."""
    turns = [event("transcript.turn", call=call, content=private.PRIVATE * 5_000) for _ in range(LARGE_TURNS)]
    return [*turns, event("call.updated", call=call, opt_out_sensitive_data_storage=True)]


def invalid(call: str, topics: Topics) -> list[Message]:
    """Return records that are no events, with marks in what is wrong or next to it."""
    word = private.PRIVATE
    turn = event("transcript.turn", call=call, opt_out_sensitive_data_storage=True, **private_data("transcript.turn"))
    data = turn["data"]
    bodies = [turn | {"data": each} for each in (word, [word], data | {"role": word}, data | {"content": {word: 1}})]
    bodies += [turn | {"specversion": "2.0"}, turn | {"subject": None}]
    bodies += [event("call.analyzed", call=call, analysis=word), event("call.note", call=call, event=[word])]
    values = [
        *map(raw, bodies),
        raw(turn)[:-9],
        raw(turn).replace(word.encode(), word.encode() + b"\xff"),
        word.encode(),
    ]
    value, headers = binary(turn | {"specversion": "2.0"})
    sent: list[Message] = [{"topic": topics.transcription, "value": each} for each in values]
    return [*sent, {"topic": topics.transcription, "value": value, "headers": [*headers, ("x", word.encode())]}]
