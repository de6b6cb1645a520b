"""JSON Schema (draft 2020-12) of an event, generated from the models that decode it.

It uses only keywords that mean the same in draft 07, in which AsyncAPI's own schemas are written.
"""

from collections.abc import Callable
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from deploy.contracts.examples import EXAMPLES, event
from shared.contract.decode_event import Envelope
from shared.contract.fields import Needs, bare
from shared.contract.payloads import TYPES
from shared.contract.strict_json import INT64
from shared.contract.topics import MAX_EVENT_BYTES

Schema = dict[str, Any]

NOT_IN_SCHEMA = (
    "The schema is what publishers are asked for. More is read, and a wrong optional field costs that field alone: "
    "integers where a text is due, a text with a number, `486.0` where an integer is due, other spellings of words, a "
    "text that holds an object of JSON as `data`, an event whose `time` is missing or wrong at its arrival. Rejected, "
    f"though JSON Schema cannot express it: an event of more than {MAX_EVENT_BYTES} bytes; NaN and infinities; nesting "
    "deeper than 64; a negative charge. Read differently: a time inside `data` more than an hour after the event's, an "
    "amount with more than 12 decimal places, an integer outside signed 64 bits, a NUL in a key, a lone surrogate."
)

_TIME = (
    r"^(1999|20[0-9]{2}|210[01])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)


def event_schema(kind: str) -> Schema:
    """Return the schema of the whole CloudEvent of a type, in structured mode."""
    envelope, data = _of(Envelope), _of(TYPES[kind])
    inner = data.pop("$defs", {})
    properties = envelope["properties"]
    properties["type"] = {"const": kind}
    properties["time"]["pattern"] = _TIME
    needed = "required" in data or "anyOf" in data
    required = [*envelope["required"], "data"] if needed else envelope["required"]
    properties["data"] = data if needed else {"anyOf": [data, {"type": "null"}]}
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
        found |= {"description": words} if (words := _words(bare(hint))) and "description" not in found else {}
    refined: Schema = _everywhere(schema, _within_64_bits, _untitled)
    return refined


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
