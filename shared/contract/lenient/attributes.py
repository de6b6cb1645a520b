"""Reads the attributes of an event with care."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_type_hints

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from shared.contract.event import Envelope
from shared.contract.fields import needs_of
from shared.contract.lenient.spellings import Unreadable
from shared.contract.problems import Problem, ProblemKind
from shared.contract.rejection import Refused, explain, not_cloudevents
from shared.contract.timestamps import InvalidTime, milliseconds

PRODUCER_TIME = "producertime"
"""The attribute with the `time` of a producer whose clock is wrong, or an empty text if there was none."""

_REQUIRED = ("id", "source", "type", "subject", "organizationid")
_HINTS = get_type_hints(Envelope, include_extras=True)
_NEEDS = {name: needs_of(_HINTS[name]) for name in (*_REQUIRED, "sequence", "time")}


_UsualAttributes: Any = TypedDict(  # type: ignore[misc]
    "_UsualAttributes", {name: _HINTS[name] for name in ("specversion", *_REQUIRED, "sequence")}
)
_UsualAttributes.__pydantic_config__ = Envelope.__pydantic_config__  # type: ignore[attr-defined]
_USUAL: Callable[[Any], Any] = TypeAdapter(_UsualAttributes).validator.validate_python


class Attributes(NamedTuple):
    """The attributes of an event but its time, as they are read; `sequence` is empty if there is none."""

    organization_id: str
    call_id: str
    type: str
    source: str
    id: str
    sequence: str
    problems: tuple[Problem, ...]


def read_attributes(body: Mapping[str, Any]) -> Attributes:
    """Return the attributes.

    Raises:
        Refused: a required one is missing or unusable.
    """
    try:
        usual = _USUAL(body)
    except ValidationError:
        return _read_attributes(body)
    sequence = usual.get("sequence")
    return Attributes(
        usual["organizationid"],
        usual["subject"],
        usual["type"],
        usual["source"],
        usual["id"],
        "" if sequence is None else str(sequence),
        (),
    )


def _read_attributes(body: Mapping[str, Any]) -> Attributes:
    """Return the attributes, each read by itself."""
    specversion = body.get("specversion")
    if isinstance(specversion, bool) or specversion not in ("1.0", 1):
        raise not_cloudevents(body)
    read = {name: _required(name, body.get(name)) for name in _REQUIRED}
    sequence, problems = _sequence(body.get("sequence"))
    return Attributes(
        read["organizationid"], read["subject"], read["type"], read["source"], read["id"], sequence, problems
    )


def read_time(value: Any) -> int | None:
    """Return the Unix milliseconds of the attribute `time` or `producertime`, None if it cannot be read."""
    try:
        return milliseconds(value) if isinstance(value, str) else None
    except InvalidTime:
        return None


def unreadable_time(value: Any) -> Refused:
    """Return why an event of the log, which has a `time` that cannot be read, is none."""
    return Refused(*explain("time", _NEEDS["time"], value))


def clock_problem(producer_time: Any) -> Problem:
    """Return the problem of an event of the log that has the attribute `producertime`."""
    why = _why_unreadable(producer_time)
    if why is not None:
        return Problem(ProblemKind.TIME_UNREADABLE, None, f"{why}; the record's arrival stands instead")
    why = "`time` lies more than an hour after the record's arrival, which stands instead"
    return Problem(ProblemKind.TIME_AHEAD, None, why)


def _why_unreadable(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return "`time` is missing, or no text"
    try:
        milliseconds(value)
    except InvalidTime as error:
        return str(error)
    return None


def _required(name: str, value: Any) -> str:
    try:
        read: str = _NEEDS[name].read(value)
    except Unreadable as error:
        raise Refused(*explain(name, _NEEDS[name], value)) from error
    return read


def _sequence(value: Any) -> tuple[str, tuple[Problem, ...]]:
    if value is None:
        return "", ()
    try:
        return _NEEDS["sequence"].read(value), ()
    except Unreadable:
        _, sentence = explain("sequence", _NEEDS["sequence"], value)
        return "", (Problem(ProblemKind.FIELD_UNREADABLE, None, f"{sentence}; it is left out"),)
