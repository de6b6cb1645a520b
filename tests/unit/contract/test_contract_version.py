"""A change of what events are read as raises the contract's version, or the log would vouch by other rules."""

import json
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter

from shared.contract import words
from shared.contract.event import Envelope
from shared.contract.lenient import data
from shared.contract.payloads import TYPES
from shared.contract.strict.vouching import CONTRACT_VERSION

FINGERPRINTS = {1: "8a40323ea94503c5"}
"""Of what each version reads. After a change: raise `CONTRACT_VERSION`, and add the line that the test shows."""

_IN_WORDS = ("description", "examples", "title")


def without_words(schema: Any) -> Any:
    """Return a JSON Schema without what is only said about it."""
    match schema:
        case dict():
            return {
                name: without_words(value)
                for name, value in schema.items()
                if name not in _IN_WORDS or not isinstance(value, str | list)
            }
        case list():
            return [without_words(value) for value in schema]
        case _:
            return schema


def fingerprint() -> str:
    schemas = {kind: without_words(TypeAdapter(model).json_schema()) for kind, model in TYPES.items()}
    usual_words = {name: table for name, table in vars(words).items() if name.isupper() and isinstance(table, dict)}
    bounds = [data.TIMES, data.AHEAD_MS, data.OLDEST_START_MS]
    read = [without_words(TypeAdapter(Envelope).json_schema()), schemas, usual_words, bounds]
    return sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:16]


def test_the_version_is_raised_with_each_change_of_the_fields_the_usual_words_and_the_bounds_of_times() -> None:
    assert {CONTRACT_VERSION: fingerprint()}.items() <= FINGERPRINTS.items()
