"""What is doubtful in valid events: problems, unknown fields, misspelt types, and identities that are used twice."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import orjson

from services.ops.events.lines import Line
from shared.contract.decode_event import Event, canonical
from shared.contract.hints import resembling, unknown_fields
from shared.contract.payloads import TYPES
from shared.contract.problems import Problem, ProblemKind

MISSPELT_TYPE = "unknown_type"
"""The kind of warning for a type that the contract does not have, but that resembles one of its types."""

REPEATED = "repeated"
"""The kind of note for an event that an earlier line has too."""

_MOST_REMEMBERED = 1_000_000
_DIGEST_BYTES = 8

_resembling = lru_cache(1_000)(resembling)


class Doubt(NamedTuple):
    """A warning, or a note if `kind` is `REPEATED`; else it is a `ProblemKind` or `MISSPELT_TYPE`.

    `field` is the field of `data`, None for the envelope. `earlier` is the line that it contradicts or repeats.
    """

    kind: str
    field: str | None
    detail: str
    earlier: int | None = None


class _Body(NamedTuple):
    """The first body under an identity; `time` is None if the producer's clock is wrong, so that it is not compared."""

    line: int
    digest: bytes
    time: int | None


class Doubts:
    """Finds the doubts about the events of one file, in their order. It remembers the last million identities."""

    def __init__(self) -> None:
        self._bodies: dict[bytes, _Body] = {}

    def of(self, line: Line, event: Event) -> list[Doubt]:
        """Return the doubts about the event of the next line."""
        found = [_doubt(problem) for problem in event.problems]
        if event.type in TYPES:
            found += [_doubt(problem) for problem in unknown_fields(line.text)]
        elif close := _resembling(event.type):
            why = f"`{event.type}` is no type of the contract: did you mean `{close}`?"
            found.append(Doubt(MISSPELT_TYPE, None, why))
        return [*found, *self._reused(line, event)]

    def _reused(self, line: Line, event: Event) -> Iterator[Doubt]:
        identity = _digest(event.organization_id, event.call_id, *event.identity)
        body = _Body(line.number, *_compared(line.text, event))
        first = self._bodies.setdefault(identity, body)
        if first is body:
            if len(self._bodies) > _MOST_REMEMBERED:
                del self._bodies[next(iter(self._bodies))]
        elif _differ(first, body):
            why = f"line {first.line} has another body under the same `source` and `id`: only one of the two counts"
            yield Doubt(ProblemKind.CONFLICT, None, why, first.line)
        else:
            why = f"line {first.line} has the same event: it counts once"
            yield Doubt(REPEATED, None, why, first.line)


def _doubt(problem: Problem) -> Doubt:
    return Doubt(problem.kind, problem.field, problem.detail)


def _differ(first: _Body, second: _Body) -> bool:
    """Return whether two bodies are a conflict; those that differ in `time` alone are none if one clock is wrong."""
    same_time = None in (first.time, second.time) or first.time == second.time
    return first.digest != second.digest or not same_time


def _compared(sent: bytes, event: Event) -> tuple[bytes, int | None]:
    """Return a digest of what is compared of a body but its time, and its time.

    It compares as `canonical` does, which takes several times as long and is left to events sent in unusual ways.
    """
    secret = event.type == "call.dtmf" and event.raw is not sent
    data = None if secret else _usual_data(sent)
    if data is None:
        data = orjson.dumps(orjson.loads(canonical(event.raw))["data"], option=orjson.OPT_SORT_KEYS)
    return _digest(
        event.type, event.ordering_key.sequence, data.decode()
    ), None if event.has_wrong_clock else event.time


def _usual_data(sent: bytes) -> bytes | None:
    """Return the `data` with its keys sorted, None if it has to be read with more care."""
    try:
        body = orjson.loads(sent)
    except orjson.JSONDecodeError:
        return None
    data = body.get("data")
    return None if data is None and "data_base64" in body else orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


def _digest(*texts: str) -> bytes:
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=_DIGEST_BYTES).digest()
