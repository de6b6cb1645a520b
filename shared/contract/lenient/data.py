"""Reads the `data` of an event with care: each field by itself."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_type_hints

from shared.contract.fields import Needs, RequiredText, SpokenText, needs_of
from shared.contract.lenient import spellings
from shared.contract.lenient.spellings import Partial, Unreadable
from shared.contract.payloads import OPT_OUT, TYPES, CallFacts
from shared.contract.problems import Problem, ProblemKind
from shared.contract.rejection import Reason, Refused, explain

AHEAD_MS = 3600 * 1000
"""How far a time may lie after the event's, or the event's after the record's arrival: an hour."""

OLDEST_START_MS = 30 * 24 * AHEAD_MS
"""How far a `start_timestamp` may lie before the event's time: 30 days."""

TIMES: dict[str, tuple[str, ...]] = {
    "call.created": ("start_timestamp",),
    "call.ringing": ("start_timestamp",),
    "call.started": ("start_timestamp",),
    "call.updated": ("start_timestamp",),
    "call.ended": ("end_timestamp",),
    "call.failed": ("end_timestamp",),
    "transcript.turn": ("timestamp", "end_timestamp"),
    "tool.called": ("timestamp",),
    "tool.returned": ("timestamp",),
}
"""The times inside `data` that may not lie ahead of the event's time, by type; those of words are not named."""


class _Field(NamedTuple):
    name: str
    required: bool
    needs: Needs
    may_be_null: bool
    """Null is the empty text, if the key is there."""
    may_be_empty: bool
    """An empty text is one."""


def _fields(model: Any) -> tuple[_Field, ...]:
    hints = get_type_hints(model, include_extras=True)
    return tuple(_field(name, needs_of(hint), name in model.__required_keys__) for name, hint in hints.items())


def _field(name: str, needs: Needs, required: bool) -> _Field:
    return _Field(name, required, needs, name == "content", needs is needs_of(SpokenText))


_FIELDS = {kind: _fields(model) for kind, model in TYPES.items()}
_REQUIRED_TEXT = needs_of(RequiredText)
_OPT_OUT_NEEDS = needs_of(get_type_hints(CallFacts, include_extras=True)[OPT_OUT])


def read_opt_out(data: Any) -> tuple[bool, tuple[Problem, ...]]:
    """Return whether `data`, of any type, opts out; what cannot be read does."""
    value = data.get(OPT_OUT) if isinstance(data, dict) else None
    if value is None or value == "":
        return False, ()
    try:
        return spellings.flag(value), ()
    except Unreadable:
        return True, (unreadable(OPT_OUT, _OPT_OUT_NEEDS, value),)


def is_sensitive(kind: str, data: Any) -> bool:
    """Return whether an event is a `call.dtmf` whose digits may not be kept."""
    value = data.get("sensitive") if kind == "call.dtmf" and isinstance(data, dict) else None
    if value is None or value == "":
        return False
    try:
        return spellings.flag(value)
    except Unreadable:
        return True


def read_data(kind: str, data: Any, marked: Any, time: int, *, redacted: bool) -> tuple[Any, list[Problem]]:
    """Return the data as it is read, and its problems.

    `marked` is the same data with a mark for each lone surrogate, None if there is none. A redacted event may lack what
    its type requires.

    Raises:
        Refused: a field that the type requires is missing or unreadable.
    """
    if kind not in TYPES:
        return _free_form(data, marked)
    if not isinstance(data, dict):
        return _no_object(kind, data, redacted=redacted)
    fields = _FIELDS[kind]
    problems = [] if marked is None else list(_replaced(data, marked))
    read = _read_fields(fields, data, problems, redacted=redacted)
    if kind == "call.dtmf":
        problems = _check_digits(data, read, problems, redacted=redacted)
    elif kind == "cost.reported":
        _check_cost(data, read, redacted=redacted)
    if kind in TIMES:
        problems += _leave_out_times(kind, read, time)
    return read, problems


def _read_fields(
    fields: tuple[_Field, ...], data: Mapping[str, Any], problems: list[Problem], *, redacted: bool
) -> dict[str, Any]:
    """Return the fields of `data` as they are read; add their problems to `problems`."""
    read: dict[str, Any] = {}
    for field in fields:
        name, required, needs = field[:3]
        value = data.get(name)
        if value is None or value == "":
            value = _empty(field, data, value, redacted=redacted) if required or value == "" else None
            if value is None:
                continue
        refuses = (required or needs.refuses) and not redacted
        try:
            found = read_field(name, needs, value, problems, refuses=refuses)
        except Unreadable as error:
            raise Refused(*explain(f"data.{name}", needs, value)) from error
        if found is not LEFT_OUT:
            read[name] = found
    return read


def _empty(field: _Field, data: Mapping[str, Any], value: Any, *, redacted: bool) -> Any:
    """Return what null or an empty text is read as, None if the field is absent.

    Raises:
        Refused: the field is required.
    """
    required = field.required and not redacted
    if value is None:
        if not required:
            return None
        if field.may_be_null and field.name in data:
            return ""
        raise Refused(*explain(f"data.{field.name}", field.needs, value))
    return "" if required or field.may_be_empty else None


LEFT_OUT = object()
"""What `read_field` returns of a field that cannot be read, and that nothing stands for."""


def read_field(name: str, needs: Needs, value: Any, problems: list[Problem], *, refuses: bool) -> Any:
    """Return the value of a field as it is read, or `LEFT_OUT`; add its problems to `problems`.

    Raises:
        Unreadable: the value cannot be read, and `refuses` is true.
    """
    try:
        found = needs.read(value)
    except Unreadable:
        if refuses:
            raise
        problems.append(unreadable(name, needs, value))
        return needs.instead(value) if needs.instead else LEFT_OUT
    if type(found) is Partial:
        problems += _partly_read(name, found)
        return found.value
    return found


def unreadable(name: str, needs: Needs, value: Any) -> Problem:
    """Return the problem of a field that cannot be read."""
    _, sentence = explain(f"data.{name}", needs, value)
    return Problem(ProblemKind.FIELD_UNREADABLE, name, f"{sentence}; {needs.consequence}")


def _partly_read(name: str, found: Partial) -> list[Problem]:
    """Return the problems of a field that was read in part."""
    return [Problem(kind, name, f"`data.{name}` {why}") for kind, why in found.faults]


def _no_object(kind: str, data: Any, *, redacted: bool) -> tuple[dict[str, Any], list[Problem]]:
    if data is None or data == "":
        read, problems = read_data(kind, {}, None, 0, redacted=redacted)
        return read, problems
    needs = Needs("an object", (dict,), spellings.json_object)
    reason, sentence = explain("data", needs, data)
    if any(field.required for field in _FIELDS[kind]) and not redacted:
        raise Refused(reason, sentence)
    read, _ = read_data(kind, {}, None, 0, redacted=redacted)
    return read, [Problem(ProblemKind.FIELD_UNREADABLE, None, f"{sentence}; it is read as an empty one")]


def _free_form(data: Any, marked: Any) -> tuple[Any, list[Problem]]:
    """Read the data of a type that the contract does not know."""
    if not isinstance(data, dict):
        replaced = [_surrogate(None)] if marked is not None and marked != data else []
        read, problems = _cleaned(data, None)
        return read, replaced + problems
    problems = [] if marked is None else list(_replaced(data, marked))
    kept: dict[str, Any] = {}
    for key, value in data.items():
        if "\x00" in key:
            why = "`data` has a key with the character NUL, which is left out"
            problems.append(Problem(ProblemKind.KEY_LEFT_OUT, None, why))
            continue
        kept[key], found = _cleaned(value, key)
        problems += found
    return kept, problems


def _cleaned(value: Any, field: str | None) -> tuple[Any, list[Problem]]:
    found = spellings.free_form(value)
    if type(found) is not Partial:
        return found, []
    return found.value, [Problem(kind, field, f"`data` {why}") for kind, why in found.faults]


def _replaced(data: Mapping[str, Any], marked: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each field, unknown ones too, in which a lone surrogate was replaced."""
    for name, value in data.items():
        if name not in marked or marked[name] != value:
            yield _surrogate(name)


def _surrogate(field: str | None) -> Problem:
    why = "`data` has a lone surrogate (half of a character), which is read as U+FFFD"
    return Problem(ProblemKind.SURROGATE_REPLACED, field, why)


def _check_digits(
    data: Mapping[str, Any], read: dict[str, Any], problems: list[Problem], *, redacted: bool
) -> list[Problem]:
    if read.get("sensitive"):
        read.pop("digits", None)
        return [problem for problem in problems if problem.field != "digits"]
    if "digits" not in read and not redacted:
        raise Refused(*explain("data.digits", _REQUIRED_TEXT, data.get("digits")))
    return problems


def _check_cost(data: Mapping[str, Any], read: dict[str, Any], *, redacted: bool) -> None:
    if not redacted and read["cost"] < 0 and read.get("kind") != "adjustment":
        shown = f", got {data['cost']}" if isinstance(data["cost"], int | float) else ""
        why = f"`data.cost` of a charge must not be negative (a credit has the `kind` `adjustment`){shown}"
        raise Refused(Reason.OUT_OF_BOUNDS, why)


def too_far(name: str, stated: int, time: int) -> Problem | None:
    """Return the problem of a time inside `data` that lies too far from the event's, None if it does not."""
    if stated > time + AHEAD_MS:
        return Problem(ProblemKind.TIME_AHEAD, name, f"`data.{name}` lies more than an hour after the event's time")
    if name == "start_timestamp" and stated < time - OLDEST_START_MS:
        why = f"`data.{name}` lies more than 30 days before the event's time"
        return Problem(ProblemKind.FIELD_UNREADABLE, name, why)
    return None


def _leave_out_times(kind: str, read: dict[str, Any], time: int) -> Iterator[Problem]:
    """Take out the times that lie too far from the event's; yield a problem for each field."""
    latest = time + AHEAD_MS
    for name in TIMES.get(kind, ()):
        if (stated := read.get(name)) is None:
            continue
        if (problem := too_far(name, stated, time)) is not None:
            del read[name]
            yield problem
    late = [(word, key) for word in read.get("words", ()) for key in ("start", "end") if word.get(key, 0) > latest]
    for word, key in late:
        del word[key]
    if late:
        why = "`data.words` has times that lie more than an hour after the event's time"
        yield Problem(ProblemKind.TIME_AHEAD, "words", why)
