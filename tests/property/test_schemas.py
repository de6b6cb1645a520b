"""Whatever the events of a call are, its record and its details have the shape that the OpenAPI document describes."""

from collections.abc import Mapping
from typing import Any

import orjson
from hypothesis import given
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from shared.calls.read_call import Finality
from shared.calls.read_details import CallDetails, served
from shared.contract.decode_event import Event, decode_logged
from shared.fold.call_details import call_details
from shared.fold.fold import fold
from shared.fold.record import Record
from tests.support.events.makers import Json, book, raw
from tests.support.events.strategies import PRICE_LISTS, calls

BOOK = book(*PRICE_LISTS)


def validator(model: type) -> Draft202012Validator:
    """Return a validator that also refuses keys which the model does not have."""
    return Draft202012Validator(_closed(TypeAdapter(model).json_schema()))


def _closed(schema: Any) -> Any:
    match schema:
        case {"properties": dict(), **_rest}:
            return {key: _closed(value) for key, value in schema.items()} | {"additionalProperties": False}
        case dict():
            return {key: _closed(value) for key, value in schema.items()}
        case list():
            return [_closed(value) for value in schema]
        case _:
            return schema


RECORD, DETAILS = validator(Record), validator(CallDetails)


def as_json(data: Mapping[str, Any]) -> Any:
    return orjson.loads(orjson.dumps(data))


@given(calls(opt_out=True))
def test_record_and_details_match_their_schemas(bodies: list[Json]) -> None:
    events = [event for body in bodies if isinstance(event := decode_logged(raw(body)), Event)]

    RECORD.validate(as_json(fold(events, BOOK).record))
    DETAILS.validate(as_json(served(call_details(events, BOOK), Finality.LIVE, BOOK)))
