"""Readers of strict events, one for each type: a single pass of pydantic, made of the models of `payloads.py`.

Null and empty texts of optional fields are left out. An optional field that is not strict is read with care, by itself,
in the same pass: then its problems are in `PROBLEMS`.
"""

from collections.abc import Callable
from contextvars import ContextVar
from types import UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, Field, PlainValidator, TypeAdapter
from pydantic_core import PydanticOmit
from typing_extensions import TypedDict, is_typeddict

from shared.contract.event import Envelope
from shared.contract.fields import Needs, bare, needs_of
from shared.contract.lenient.data import LEFT_OUT, read_field
from shared.contract.lenient.spellings import Unreadable
from shared.contract.payloads import Data
from shared.contract.problems import Problem

PROBLEMS: ContextVar[list[Problem] | None] = ContextVar("PROBLEMS", default=None)
"""The problems of the event that is being read, None if no field of it was read with care; then it is set back."""


class NeedsCare(Exception):
    """The event is not as strict as most are: it is read again.

    No `ValueError`, of which pydantic would make an error of its own, at some cost.
    """


def reader(model: Any = None, *, required: bool = True) -> Callable[[Any], Any]:
    """Return what reads a strict event whose `data` is of the model; nothing is required of redacted data.

    Without a model, that of a type that the contract does not know. A single reader takes less time than one for the
    attributes and one for `data`.
    """
    attributes = get_type_hints(Envelope, include_extras=True)
    del attributes["traceparent"]  # nothing reads it
    if model is not None:
        del attributes["type"]  # it chose the model
        data = _object(model, _read_alone, required=required)
        attributes["data"] = data if data.__required_keys__ else NotRequired[data | None]
    # Not the adapter's own method, which takes time to pass its many options on.
    read: Callable[[Any], Any] = TypeAdapter(_typed_dict("StrictEvent", attributes)).validator.validate_python
    return read


def _object(model: Any, otherwise: Callable[[str, Needs], Any], *, required: bool = True) -> Any:
    """Return the model with what reads, `otherwise`, the optional fields that are not strict."""
    fields = {
        name: hint if required and get_origin(hint) is not NotRequired else _optional(name, hint, otherwise)
        for name, hint in get_type_hints(model, include_extras=True).items()
    }
    return _typed_dict(model.__name__, fields)


def _optional(name: str, hint: Any, otherwise: Callable[[str, Needs], Any]) -> Any:
    kind = _with_strict_parts(bare(hint))
    inner = get_args(kind)[0]
    if inner is Any:
        return NotRequired[Annotated[kind, AfterValidator(_set)]]
    flat = inner if get_origin(inner) in (Union, UnionType) else kind  # one union, not one in another
    read = Annotated[Any, PlainValidator(otherwise(name, needs_of(hint)))]
    return NotRequired[Annotated[flat | read, Field(union_mode="left_to_right")]]


def _with_strict_parts(kind: Any) -> Any:
    """Return the type with the objects in it, which have optional fields too, as `_object` makes them."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        return Annotated[_with_strict_parts(inner), *notes]
    if get_origin(kind) is list:
        return list[_with_strict_parts(get_args(kind)[0])]  # type: ignore[misc]
    return _object(kind, _left_out) if is_typeddict(kind) else kind


def _typed_dict(name: str, hints: dict[str, Any]) -> Any:
    made: Any = TypedDict(name, hints)  # type: ignore[misc]
    made.__pydantic_config__ = Data.__pydantic_config__  # type: ignore[attr-defined]
    return made


def _set(value: Any) -> Any:
    if value is None or value == "":
        raise PydanticOmit
    return value


def _left_out(_name: str, _needs: Needs) -> Callable[[Any], Any]:
    """Return what leaves an empty field out; anything else is for the reader of the whole field."""

    def read(value: Any) -> Any:
        if value is None or value == "":
            raise PydanticOmit
        raise ValueError

    return read


def _read_alone(name: str, needs: Needs) -> Callable[[Any], Any]:
    """Return what reads one field with care and takes down its problems."""

    def read(value: Any) -> Any:
        if value is None or value == "":
            raise PydanticOmit
        problems: list[Problem] = []
        try:
            found = read_field(name, needs, value, problems, refuses=needs.refuses)
        except Unreadable:
            raise NeedsCare from None
        PROBLEMS.set([*(PROBLEMS.get() or ()), *problems])
        if found is LEFT_OUT:
            raise PydanticOmit
        return found

    return read
