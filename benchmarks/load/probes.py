"""What `fresh` publishes: ongoing calls turn by turn, and probes among their events."""

import random
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import orjson

from benchmarks.load.calls import Message, Workload
from shared.contract.topics import Topics
from tests.support.events.makers import Json, event

WORKLOAD = Workload(100, 4_000)
ONGOING = 400
"""Calls that are active at the same time."""

CALLS_A_PHASE = 100_000
"""The calls of each phase have numbers of their own, which begin at a multiple of this."""

PROBES_PER_SECOND = 20
ORGANIZATION = "org-probe"

_TURN = b'"transcript.turn"'
# A turn belongs to a call that was opened a second before, by a probe with an even number.
_TURN_AFTER = PROBES_PER_SECOND + 1


class Probe(NamedTuple):
    """An event that a client waits for: the only one that holds `token`, its id; of the call `call`."""

    token: str
    call: str


def steady(topics: Topics, rate: int, first: int) -> Iterator[tuple[Message, Probe | None]]:
    """Yield, without end, what is published at `rate` events/s; the calls are those from number `first` on."""
    calls = ongoing(topics, first)
    every = rate // PROBES_PER_SECOND
    for number in count():
        yield (next(calls), None) if number % every else _probe(topics, first, number // every)


def ongoing(topics: Topics, first: int) -> Iterator[Message]:
    """Yield, without end, the events of concurrent calls; where one ends, the next begins.

    The first `ONGOING` calls begin in their middle, so that as many end in the first second as in the last.
    """
    rng = random.Random(WORKLOAD.seed)
    numbers = count(first)
    calls = [_turns(WORKLOAD.call(next(numbers), topics)) for _ in range(ONGOING)]
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
    """Return a probe: one with an even number opens a call of its own, the others are turns of such a call."""
    opens = number % 2 == 0
    call = f"probe-{first}-{number if opens else max(number - _TURN_AFTER, 0)}"
    token = f"token-{first}-{number}"
    data: Json = {"role": "user", "content": f"My number is {token}."}
    kind = "transcript.turn"
    if opens:
        kind, data = "call.created", {"agent_id": "agent-7", "metadata": {"customer_id": token}}
    body = event(kind, id=token, call=call, organization=ORGANIZATION) | {"data": data}
    return (topics.telephony if opens else topics.transcription, call.encode(), orjson.dumps(body)), Probe(token, call)
