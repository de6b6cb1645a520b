"""Which events of the log need no second validation, and how they are read instead (docs/decisions/0025).

The worker validates each event in full before it logs it, and compares. Where parsing alone gives the same event, the
document in the log vouches for it, and a fold under the same contract only parses.
"""

from collections.abc import Callable
from functools import reduce
from types import UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints

import orjson
from pydantic import AfterValidator, BeforeValidator
from typing_extensions import is_typeddict

from shared.contract.event import Event, OrderingKey
from shared.contract.payloads import OPT_OUT, TYPES
from shared.contract.timestamps import milliseconds

CONTRACT_VERSION = 1
"""Counts up with each change of what an event is read as: documents of other versions are validated in full."""

AS_SENT, ADAPTED, WITH_CARE = range(3)
"""What a document says of an event: its `data` is read as it was sent; or is, once `adapted`; or it is read in full."""

# What a named tuple's own constructor calls, at half its time.
_new = tuple.__new__
_loads = orjson.loads


def vouched(event: Event, body: Any) -> int:
    """Return what a document may say of an event of which no field was read with care; `body` is its JSON, parsed."""
    kind, sent, data = event.type, body.get("data"), event.data
    if sent is None or kind not in TYPES or _alike(kind, data, sent):
        return AS_SENT
    return ADAPTED if _alike(kind, data, adapted(kind, sent)) else WITH_CARE


def trusted(raw: bytes, how: int) -> Event:
    """Return the event in `raw`, which a document of this contract's version vouches for: `AS_SENT` or `ADAPTED`.

    Raises:
        LookupError, TypeError, ValueError, ArithmeticError: it is not what the document says; somebody edited it.
    """
    body = _loads(raw)
    kind, data, opts_out = body["type"], body.get("data"), False
    if type(data) is dict:
        opts_out = data.get(OPT_OUT) is True
        if how:
            data = adapted(kind, data)
    elif data is None and kind in TYPES:
        data = {}
    time = milliseconds(body["time"])
    sequence, identifier = body.get("sequence"), body["id"]
    sequence = "" if sequence is None else str(sequence)
    ordering_key = _new(OrderingKey, (time, len(sequence), sequence, body["source"], len(identifier), identifier))
    return _new(Event, (body["organizationid"], body["subject"], kind, time, ordering_key, data, opts_out, raw, 0, ()))


def adapted(kind: str, sent: dict[str, Any]) -> dict[str, Any]:
    """Return `data` without null, empty and unknown fields, and with each field's own conversions."""
    fields, conversions = _FIELDS[kind], _CONVERSIONS[kind]
    data = {name: value for name, value in sent.items() if name in fields and value is not None and value != ""}
    for name, convert in conversions.items():
        if name in data:
            data[name] = convert(data[name])
    return data


def _alike(kind: str, data: Any, other: Any) -> bool:
    """Return whether both are the same `data`, but for the order of its fields, which nothing reads."""
    # 1 equals 1.0, and objects are equal whatever the order of their fields.
    return data == other and not [
        name for name in _EXACT[kind] if name in data and _dumps(data[name]) != _dumps(other[name])
    ]


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, str)


def _notes(hint: Any) -> list[Any]:
    """Return the type and the annotations of a field, in the order in which they apply."""
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        return [*_notes(inner), *notes]
    if get_origin(hint) in (NotRequired, Union, UnionType):
        return [note for part in get_args(hint) for note in _notes(part)]
    return [hint]


def _conversions(hint: Any) -> list[Any]:
    return [note.func for note in _notes(hint) if isinstance(note, AfterValidator | BeforeValidator)]


def _converted(hint: Any) -> Callable[[Any], Any] | None:
    functions = _conversions(hint)
    return (lambda value: reduce(lambda found, convert: convert(found), functions, value)) if functions else None


def _has_parts(hint: Any) -> bool:
    return any(is_typeddict(note) or get_origin(note) is list for note in _notes(hint))


_HINTS = {kind: get_type_hints(model, include_extras=True) for kind, model in TYPES.items()}
_FIELDS = {kind: frozenset(hints) for kind, hints in _HINTS.items()}
_CONVERSIONS = {
    kind: {name: convert for name, hint in hints.items() if (convert := _converted(hint))}
    for kind, hints in _HINTS.items()
}
_EXACT = {
    kind: tuple(name for name, hint in hints.items() if _conversions(hint) or _has_parts(hint))
    for kind, hints in _HINTS.items()
}
"""The fields of which equality does not suffice: those that reading may change, and those that hold objects."""
