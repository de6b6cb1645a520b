"""Which events of the log need no second validation, and how they are read instead (docs/decisions/0025).

The worker validates each event in full before it logs it, and compares. Where parsing alone gives the same event, the
document in the log vouches for it, and a fold under the same contract only parses.
"""

from collections.abc import Callable
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints

import orjson
from pydantic import AfterValidator, BeforeValidator
from typing_extensions import is_typeddict

from shared.contract.event import Event, OrderingKey
from shared.contract.fields import not_null
from shared.contract.payloads import OPT_OUT, TYPES
from shared.contract.timestamps import milliseconds

CONTRACT_VERSION = 1
"""Counts up with each change of what any event is read as: documents of other versions are validated in full."""

AS_SENT, ADAPTED, WITH_CARE = range(3)
"""What a document says of an event: its `data` is read as it was sent; or is, once `adapted`; or it is read in full."""

_MAX_REMEMBERED_WORDS, _MAX_REMEMBERED_LENGTH = 256, 64

# What a named tuple's own constructor calls, at half its time.
_new = tuple.__new__
_loads = orjson.loads
_dumps = orjson.dumps


def vouched(event: Event, body: Any) -> int:
    """Return what a document may say of an event of which no field was read with care; `body` is its JSON, parsed."""
    kind = event.type
    rules = _RULES.get(kind)
    if rules is None:
        return WITH_CARE if kind in TYPES else AS_SENT
    sent, data = body.get("data"), event.data
    if sent is None or rules.alike(data, sent):
        return AS_SENT
    return ADAPTED if rules.alike(data, rules.adapted(sent)) else WITH_CARE


def trusted(raw: bytes, reading: int) -> Event:
    """Return the event in `raw`, which a document of this contract's version vouches for: `AS_SENT` or `ADAPTED`.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: it is not what the document says; somebody edited it.
    """
    body = _loads(raw)
    kind, data, opts_out = body["type"], body.get("data"), False
    if type(data) is dict:
        opts_out = data.get(OPT_OUT) is True
        if reading == ADAPTED:
            data = _RULES[kind].adapted(data)
    elif data is None and kind in TYPES:
        data = {}
    time = milliseconds(body["time"])
    sequence, identifier = body.get("sequence"), body["id"]
    sequence = "" if sequence is None else str(sequence)
    ordering_key = _new(OrderingKey, (time, len(sequence), sequence, body["source"], len(identifier), identifier))
    return _new(Event, (body["organizationid"], body["subject"], kind, time, ordering_key, data, opts_out, raw, 0, ()))


class _Rules:
    """How the `data` of one type is compared and adapted.

    `_conversions` are what readers do with a field that may be spelled in several ways.
    """

    def __init__(self, model: type) -> None:
        hints = get_type_hints(model, include_extras=True)
        self._fields = frozenset(hints)
        self._conversions = tuple((name, convert) for name, hint in hints.items() for convert in _conversions(hint))
        self._exact = bool(self._conversions) or any(map(_has_parts, hints.values()))

    def alike(self, data: dict[str, Any], other: dict[str, Any]) -> bool:
        """Return whether both are the same, but for the order of the fields, which nothing reads."""
        if len(data) != len(other):
            return False
        if not self._exact:
            return data == other
        # Values may be equal where their texts are not: 1 and 1.0, or objects whose fields have another order.
        return _dumps([*map(data.get, other)]) == _dumps([*other.values()])

    def adapted(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Return `data` without null, empty and unknown fields, each field converted."""
        fields = self._fields
        data = {name: value for name, value in sent.items() if value is not None and value != "" and name in fields}
        for name, convert in self._conversions:
            if name in data:
                data[name] = convert(data[name])
        return data


def _notes(hint: Any) -> list[Any]:
    """Return the types and the annotations of a field, but not of what a list or an object of it holds."""
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        return [*_notes(inner), *notes]
    if get_origin(hint) in (NotRequired, Union, UnionType):
        return [note for part in get_args(hint) for note in _notes(part)]
    return [hint]


def _conversions(hint: Any) -> list[Callable[[Any], Any]]:
    functions: list[Any] = [note.func for note in _notes(hint) if isinstance(note, AfterValidator)]
    return [each if each is int else _remembering(each) for each in functions if each is not not_null]


def _remembering(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the function, faster for words it had before; longer texts are not kept, or they would fill the memory."""
    remembered = lru_cache(_MAX_REMEMBERED_WORDS)(convert)

    def converted(word: str) -> Any:
        return remembered(word) if len(word) <= _MAX_REMEMBERED_LENGTH else convert(word)

    return converted


def _has_parts(hint: Any) -> bool:
    """Return whether a field of this type holds objects."""
    return any(is_typeddict(note) or get_origin(note) is list for note in _notes(hint))


def _has_amounts(model: type) -> bool:
    """Return whether it has a field that is read as a decimal: to do that again saves nothing."""
    hints = get_type_hints(model, include_extras=True).values()
    return any(isinstance(note, BeforeValidator) for hint in hints for note in _notes(hint))


_RULES = {kind: _Rules(model) for kind, model in TYPES.items() if not _has_amounts(model)}
