"""PURE: what is published: calls that go on turn by turn, and probes among their events."""

import random
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import orjson

from benchmarks.calls import Workload
from shared.contract.topics import Topics
from tests.support.events.makers import Json, event

WORKLOAD = Workload(100, 4_000)

GOING_ON = 400
"""So many calls go on at the same time."""

CALLS_A_PHASE = 100_000
"""The calls of each phase have numbers of their own, which begin at a multiple of this."""

PROBES_PER_SECOND = 20
ORGANIZATION = "org-probe"

_TURN = b'"transcript.turn"'
# A turn is said in a call that was opened a second before, by the probe of an even number.
_TURN_AFTER = PROBES_PER_SECOND + 1

Message = tuple[str, bytes, bytes]
"""Topic, key and value."""


class Probe(NamedTuple):
    """An event that is looked for: the only one that holds `token`, its id; of the call `call`."""

    token: str
    call: str


def steady(topics: Topics, rate: int, first: int) -> Iterator[tuple[Message, Probe | None]]:
    """Yield, without end, what is published at `rate` events/s; the calls are those from number `first` on."""
    calls = talking(topics, first)
    every = rate // PROBES_PER_SECOND
    for number in count():
        yield (next(calls), None) if number % every else _probe(topics, first, number // every)


def talking(topics: Topics, first: int) -> Iterator[Message]:
    """Yield, without end, the events of calls that go on; where one ends, the next begins.

    The first ones, `GOING_ON` of them, are somewhere in their middle: as many end in the first second as in the last.
    """
    rng = random.Random(WORKLOAD.seed)
    numbers = count(first)
    calls = [_turns(WORKLOAD.call(next(numbers), topics)) for _ in range(GOING_ON)]
    for turns in calls:
        del turns[rng.randrange(1, len(turns) + 1) :]
    while True:
        turns = rng.choice(calls)
        if not turns:
            turns += _turns(WORKLOAD.call(next(numbers), topics))
        yield from turns.pop()


def _turns(events: list[Message]) -> list[list[Message]]:
    """Return what comes together, last first: a turn with what was measured of it."""
    turns: list[list[Message]] = [[]]
    for each in events:
        if _TURN in each[2] and turns[-1]:
            turns.append([])
        turns[-1].append(each)
    return turns[::-1]


def _probe(topics: Topics, first: int, number: int) -> tuple[Message, Probe]:
    """Return a probe: those of an even number open a call of their own, the others say something in one."""
    opens = number % 2 == 0
    call = f"probe-{first}-{number if opens else max(number - _TURN_AFTER, 0)}"
    token = f"token-{first}-{number}"
    body = _opening(call, token) if opens else _turn(call, token)
    topic = topics.telephony if opens else topics.transcription
    return (topic, call.encode(), orjson.dumps(body)), Probe(token, call)


def _opening(call: str, token: str) -> Json:
    metadata = {"customer_id": token}
    return event("call.created", id=token, call=call, organization=ORGANIZATION, agent_id="agent-7", metadata=metadata)


def _turn(call: str, token: str) -> Json:
    said = f"My number is {token}."
    return event("transcript.turn", id=token, call=call, organization=ORGANIZATION, role="user", content=said)
