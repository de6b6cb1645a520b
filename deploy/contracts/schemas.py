"""JSON Schema (draft 2020-12) of an event, generated from the models that decode it.

It uses only keywords that mean the same in draft 07, in which AsyncAPI's own schemas are written.
"""

from collections.abc import Callable
from types import UnionType
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter

from deploy.contracts.examples import EXAMPLES, event
from shared.contract.decode_event import Envelope
from shared.contract.fields import Needs
from shared.contract.payloads import TYPES
from shared.contract.strict_json import INT64
from shared.contract.topics import MAX_EVENT_BYTES

Schema = dict[str, Any]

NOT_IN_SCHEMA = (
    f"Also rejected, though JSON Schema cannot express it: an event of more than {MAX_EVENT_BYTES} bytes; NaN, an "
    "infinity or a lone surrogate; an integer outside signed 64 bits; a NUL in a key; nesting deeper than 64; an "
    "integer written with a decimal point (1.0); an amount with more than 12 decimal places; a time on a day that does "
    "not exist, or outside the years 2000 to 2100 in UTC."
)

_TIME = (
    r"^(1999|20[0-9]{2}|210[01])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)


def event_schema(kind: str) -> Schema:
    """Return the schema of the whole CloudEvent of a type, in structured mode."""
    envelope, data = _of(Envelope), _of(TYPES[kind])
    inner = data.pop("$defs", {})
    properties = envelope["properties"]
    properties["type"] = {"const": kind}
    properties["time"]["pattern"] = _TIME
    required = [*envelope["required"], "data"] if "required" in data else envelope["required"]
    properties["data"] = data if "required" in data else {"anyOf": [data, {"type": "null"}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": NOT_IN_SCHEMA,
        "title": kind,
        "description": EXAMPLES[kind].summary,
        "type": "object",
        "properties": properties,
        "required": required,
        "examples": [event(kind)],
        **({"$defs": inner} if inner else {}),
    }


def _of(model: type) -> Schema:
    schema = TypeAdapter(model).json_schema()
    for name, hint in get_type_hints(model, include_extras=True).items():
        found = schema["properties"][name]
        found |= {"description": words} if (words := _words(_bare(hint))) and "description" not in found else {}
    refined: Schema = _everywhere(schema, _within_64_bits, _untitled)
    return refined


def _bare(hint: Any) -> Any:
    """Return the type of a field's value when it is present and not null."""
    if get_origin(hint) is NotRequired:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint):
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def _words(hint: Any) -> str | None:
    return next((note.words for note in getattr(hint, "__metadata__", ()) if isinstance(note, Needs)), None)


def _within_64_bits(schema: Schema) -> Schema:
    if schema.get("type") != "integer":
        return schema
    return {"minimum": INT64.start, "maximum": INT64.stop - 1, **schema}


def _untitled(schema: Schema) -> Schema:
    """Return the schema without the titles that pydantic derives from names."""
    return {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}


def _everywhere(schema: Any, *changes: Callable[[Schema], Schema]) -> Any:
    if isinstance(schema, list):
        return [_everywhere(part, *changes) for part in schema]
    if not isinstance(schema, dict):
        return schema
    for change in changes:
        schema = change(schema)
    return {key: _everywhere(value, *changes) for key, value in schema.items()}
