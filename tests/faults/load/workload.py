"""PURE: the records of the producer and their times, the same for the same seed.

Concurrent calls with events that are late, repeated, out of order, on the other topic, with no key or another one, or
in binary mode; between them bursts of invalid records, and notes for the probe.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from shared.contract.rejection import Reason
from shared.contract.topics import Topics
from tests.faults.load.calls import ORGANIZATIONS, a_call, a_long_call, an_opted_out_call
from tests.faults.load.private import PRIVATE
from tests.support.events.invalid import ONE_OF_EACH
from tests.support.events.makers import Json, binary, event, raw
from tests.support.servers.kafka import Message, message

PARTITIONS = 4
PROBED_CALLS = 8

_WINDOW_SECONDS = 15
_CALL_SECONDS = 12.0
_LATE_SECONDS = 15.0
_OUT_OF_ORDER = 0.1
_TWICE = 0.06
_BURSTS_A_SECOND = 2
"""Events of a burst are in one batch, during which a process can end."""
_LONG_CALL_RATE = 4
_SMALL_BYTES = 10_000

INVALID = {f"{reason}": (reason, value) for reason, value in ONE_OF_EACH.items()} | {
    "private content of a wrong type": (Reason.WRONG_TYPE, raw(event("call.note", event=[PRIVATE]))),
    "private content that is no JSON": (Reason.NOT_JSON, f"They said {PRIVATE}".encode()),
    "private content in an attribute": (Reason.WRONG_TYPE, raw(event("call.note") | {"type": [PRIVATE]})),
}
"""Invalid records by what is wrong with them, and the reason that their dead letters name."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A record and when it is due, in seconds after the start; `odd` names its irregularity.

    `event` is None for an invalid record.
    """

    due: float
    message: Message
    event: Json | None = None
    reason: Reason | None = None
    """Why it is invalid."""
    probe: bool = False
    odd: str | None = None


def workload(seed: int, rate: float, topics: Topics) -> Iterator[Sent]:
    """Yield the records in the order of their times, without an end: `rate` events a second."""
    waiting: list[Sent] = []
    long = a_long_call("long", random.Random(f"{seed}/long"))
    for number in count():
        begin, rng = number * _WINDOW_SECONDS, random.Random(f"{seed}/workload/{number}")
        turns = list(islice(long, int(_WINDOW_SECONDS * _LONG_CALL_RATE)))
        waiting += _spread(turns, begin, _WINDOW_SECONDS, rng, topics)
        waiting += [*_calls(number, rng, rate, topics), *_poison(number, rng, topics), *_probes(begin, topics)]
        end = begin + _WINDOW_SECONDS
        yield from sorted((sent for sent in waiting if sent.due < end), key=lambda sent: sent.due)
        waiting = [sent for sent in waiting if sent.due >= end]


def _calls(window: int, rng: random.Random, rate: float, topics: Topics) -> Iterator[Sent]:
    """Yield the events of the calls that begin in a window, of which the first opts out."""
    begin = float(window * _WINDOW_SECONDS)
    yield from _spread(an_opted_out_call(f"private-{window}", rng).events, begin, _CALL_SECONDS / 4, rng, topics)
    left = rate * _WINDOW_SECONDS
    number = 0
    while left > 0:
        call = a_call(f"call-{window}-{number}", rng)
        begin = _WINDOW_SECONDS * (window + rng.random())
        took = _CALL_SECONDS * rng.uniform(0.3, 1.5)
        yield from _spread(call.events, begin, took, rng, topics)
        for body in call.late:
            yield _sent(begin + took + rng.uniform(2, _LATE_SECONDS), body, rng, topics, "event: late")
        left -= len(call.events) + len(call.late)
        number += 1


def _spread(bodies: Sequence[Json], begin: float, took: float, rng: random.Random, topics: Topics) -> Iterator[Sent]:
    """Yield events in order over so many seconds, some of them later and twice."""
    for number, body in enumerate(bodies):
        due = begin + took * number / len(bodies)
        if rng.random() < _OUT_OF_ORDER:
            yield _sent(due + rng.uniform(0, 4), body, rng, topics, "event: out of order")
        else:
            yield _sent(due, body, rng, topics)
        if rng.random() < _TWICE:
            yield _sent(due + rng.uniform(0, 6), body, rng, topics, "event: twice")


def _sent(due: float, body: Json, rng: random.Random, topics: Topics, odd: str | None = None) -> Sent:
    sent, astray = _astray(body, rng, topics)
    return Sent(_burst(due), sent, body, odd=astray or odd)


def _burst(due: float) -> float:
    return int(due * _BURSTS_A_SECOND) / _BURSTS_A_SECOND


def _astray(body: Json, rng: random.Random, topics: Topics) -> tuple[Message, str | None]:
    """Return the message of an event, which is now and then not where or as it should be, and what is odd with it."""
    sent = message(body, topics)
    match rng.randrange(50):
        case 0:
            return sent | {"topic": rng.choice(topics.inputs)}, "event: any topic"
        case 1:
            return sent | {"key": None, "partition": rng.randrange(PARTITIONS)}, "event: no key"
        case 2:
            return sent | {"partition": rng.randrange(PARTITIONS)}, "event: any partition"
        case 3 | 4:
            value, headers = binary(body)
            return sent | {"value": value, "headers": headers}, "event: binary mode"
    return sent, None


def _poison(window: int, rng: random.Random, topics: Topics) -> Iterator[Sent]:
    """Yield bursts of records that are no events, of every reason in turn, each under a key of its own."""
    small = [kind for kind, (_, value) in INVALID.items() if len(value) < _SMALL_BYTES]
    for burst, first in enumerate(INVALID):
        topic, partition = rng.choice(topics.inputs), rng.randrange(PARTITIONS)
        due = _burst(_WINDOW_SECONDS * (window + rng.random()))
        for number, kind in enumerate([first, *rng.choices(small, k=3)]):
            reason, value = INVALID[kind]
            where = {"topic": topic, "partition": partition, "key": b"poison-%d-%d-%d" % (window, burst, number)}
            yield Sent(due, {**where, "value": value}, reason=reason, odd=f"poison: {kind}")


def _probes(begin: float, topics: Topics) -> Iterator[Sent]:
    """Yield a note each second, in turn of one of a few calls and on one of the topics."""
    for number in range(int(begin), int(begin + _WINDOW_SECONDS)):
        call = number % PROBED_CALLS
        body = event(
            "call.note",
            id=str(number),
            source="/probe",
            call=f"probe-{call}",
            organization=ORGANIZATIONS[call % 2],
            event=f"Probe {number}",
        )
        yield Sent(float(number), message(body, topics) | {"topic": topics.inputs[number // 2 % 2]}, body, probe=True)
