"""What a client does, step by step: one JSON object a line, which a program of each language follows.

    {"do": "send", "producer": 0, "topic": "calls.telephony", "key": "call-1", "value": "{...}", "headers": {}}

`begin`, `flush`, `commit` and `abort` have a producer only. `flush` returns when the broker has acknowledged what was
sent. Producers have numbers; each has a transactional id of its own. The program gets the broker's address and its
options as arguments, and prints its version and the Unix ms at which the last step was done.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contract.topics import Topics
from tests.clients.catalogue import Client, Mode
from tests.support.events.makers import Json, binary, event
from tests.support.events.workload import conversation, interleaved
from tests.support.servers.kafka import message

Step = dict[str, Any]

_CALLS = 4
_TURNS = 6
_ABORTED_EVENTS = 120


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps; the events that count, and the calls that are only in aborted transactions."""

    steps: Sequence[Step]
    events: Sequence[Json]
    never: Sequence[Json]


class Script:
    """Writes steps in the client's mode."""

    def __init__(self, client: Client, topics: Topics) -> None:
        self._client = client
        self._topics = topics
        self.steps: list[Step] = []

    def do(self, what: str, producer: int = 0) -> None:
        self.steps.append({"do": what, "producer": producer})

    def send(self, bodies: Sequence[Json], producer: int = 0) -> None:
        """Send events, and flush after every few."""
        for start in range(0, len(bodies), self._client.flush_every):
            for body in bodies[start : start + self._client.flush_every]:
                self.steps.append({"do": "send", "producer": producer, **self._record(body)})
            self.do("flush", producer)

    def transaction(self, bodies: Sequence[Json], end: str) -> None:
        self.do("begin")
        self.send(bodies)
        self.do(end)

    def _record(self, body: Json) -> Step:
        sent = message(body, self._topics)
        value, headers = (
            binary(body) if self._client.binary else (sent["value"], [("origin", self._client.name.encode())])
        )
        return {
            "topic": sent["topic"],
            "key": body["organizationid" if self._client.mis_keyed else "subject"],
            "value": value.decode(),
            "headers": {name: value.decode() for name, value in headers},
        }


def plan(client: Client, topics: Topics) -> Plan:
    """Return what a client publishes: a few calls of its own, interleaved."""
    rng = random.Random(client.name)
    names = [f"{client.name}-{number}" for number in range(_CALLS)]
    events = list(interleaved([conversation(name, rng, _TURNS) for name in names]))
    never = list(_never(client, names))
    script = Script(client, topics)
    _WRITERS[client.mode](script, events, never)
    return Plan(script.steps, events, never if client.mode in (Mode.ABORTED, Mode.INTERLEAVED) else [])


def _never(client: Client, names: Sequence[str]) -> Iterator[Json]:
    """Yield events that are aborted: half of calls that are there, which would change, half of calls of their own."""
    for number in range(_ABORTED_EVENTS):
        call = names[number % len(names)] if number % 2 else f"{client.name}-never-{number % 8}"
        yield event("call.note", call=call, source="/aborted", event=f"Never {number}")


def _plain(script: Script, events: Sequence[Json], _never: Sequence[Json]) -> None:
    script.send(events)


def _committed(script: Script, events: Sequence[Json], _never: Sequence[Json]) -> None:
    for part in _thirds(events):
        script.transaction(part, "commit")


def _aborted(script: Script, events: Sequence[Json], never: Sequence[Json]) -> None:
    for part, lost in zip(_thirds(events), _thirds(never), strict=True):
        script.transaction(part, "commit")
        script.transaction(lost, "abort")


def _interleaved(script: Script, events: Sequence[Json], never: Sequence[Json]) -> None:
    """Let one producer commit within what another one aborts, and so in turn."""
    for number, (part, lost) in enumerate(zip(_thirds(events), _thirds(never), strict=True)):
        good, bad = number % 2, 1 - number % 2
        script.do("begin", bad)
        script.send(lost[: len(lost) // 2], bad)
        script.do("begin", good)
        script.send(part[: len(part) // 2], good)
        script.send(lost[len(lost) // 2 :], bad)
        script.send(part[len(part) // 2 :], good)
        script.do("commit", good)
        script.do("abort", bad)


_WRITERS = {
    Mode.PLAIN: _plain,
    Mode.COMMITTED: _committed,
    Mode.ABORTED: _aborted,
    Mode.INTERLEAVED: _interleaved,
}


def _thirds(bodies: Sequence[Json]) -> list[Sequence[Json]]:
    size = -(-len(bodies) // 3)
    return [bodies[start : start + size] for start in range(0, len(bodies), size)]
