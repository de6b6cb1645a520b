"""The generated contracts: they are up to date, their examples are events, and what fits them is read as it is."""

import json
import re
import subprocess
import sys
from copy import deepcopy
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from deploy.contracts import files
from deploy.contracts.examples import EXAMPLES, event
from deploy.contracts.files import FOLDER, differences, write
from deploy.contracts.schemas import event_schema
from shared.contract.decode_event import Event, InvalidEvent, decode
from shared.contract.payloads import TELEPHONY, TRANSCRIPTION, TYPES
from shared.contract.timestamps import EARLIEST_MS, LATEST_MS
from shared.contract.topics import Topics
from tests.support.events.makers import Json, raw

NUMBERS = [0, 1, -1, 0.5, 120.25, EARLIEST_MS - 1, EARLIEST_MS, LATEST_MS, 2**53, 2**53 + 2, 2**63 - 1, 3_600_001]
AMOUNTS = [999_999_999, -999_999_999, 10**9, "0", "-0", "-0.0", "-12.50", "-0.001", "0000000000.5", "9999999999"]
NO_AMOUNTS = ["1_000", "1e3", "²", " 1", "+1", "1.", ".5", "", "0.1234567890123"]
TIMES = [
    "2023-12-20T18:45:00Z",
    "2023-12-20t18:45:60.123456789+23:59",
    "2000-01-01T00:00:00z",
    "2023-12-20T18:45:00",
    "2023-12-20 18:45:00Z",
    "2023-13-20T18:45:00Z",
    "2023-12-20T24:00:00Z",
    "2023-12-20T18:45:00+24:00",
    "1998-12-20T18:45:00Z",
    "now",
]
TEXTS = [
    "a",
    "a/b",
    "a\tb",
    "a\x85b",
    "E2E",
    "e2e",
    "x" * 32,
    "x" * 33,
    "x" * 128,
    "x" * 129,
    "x" * 256,
    "x" * 257,
    "é",
]
OTHERS: list[Any] = [None, True, [], {}, [1], [{"word": "a"}], [{"word": ""}], {"a": None}, {"call_sid": 1}]
VALUES = [*NUMBERS, *AMOUNTS, *NO_AMOUNTS, *TIMES, *TEXTS, *OTHERS]


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(event_schema(kind))


def valid(body: Json, kind: str) -> bool:
    return bool(validator(kind).is_valid(body))


def read_as_it_is(body: Json) -> bool:
    """Return whether an event is read without problems, but for those that no schema can express."""
    read = decode(raw(body), arrival=LATEST_MS)
    if isinstance(read, InvalidEvent):
        return "must not be negative" in read.detail
    return {problem.kind for problem in read.problems if problem.field != "start_timestamp"} <= {"time_ahead"}


def refused_or_read_otherwise(body: Json, field: str) -> bool:
    """Return whether a field of `data` is wrong, or is spelled as no publisher is asked to."""
    read = decode(raw(body), arrival=LATEST_MS)
    if isinstance(read, InvalidEvent) or read.problems:
        return True
    sent, found = body["data"][field], read.data.get(field)
    return isinstance(found, Decimal) or (type(found), found) != (type(sent), sent)


def with_data(kind: str, **data: Any) -> Json:
    body = deepcopy(event(kind))
    body["data"] |= data
    return body


def test_the_files_are_what_the_models_give() -> None:
    assert differences() == [], "run python -m deploy.contracts"


def test_the_check_fails_with_a_line_for_each_file_that_differs(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "contracts/events/call.dtmf.json").write_text("{}\n")
    (tmp_path / "contracts/events/call.ended.json").unlink()
    (tmp_path / "contracts/events/call.gone.json").write_text("{}\n")

    found = differences(tmp_path)

    assert [line.partition(": ")[0] for line in found] == [
        "contracts/events/call.dtmf.json",
        "contracts/events/call.ended.json",
        "contracts/events/call.gone.json",
    ]
    write(tmp_path)
    assert differences(tmp_path) == []


@pytest.mark.parametrize("text", ["+0987654321", "1e5", "0o17", "0x1F", ".5", "12", "1.", "-7"])
def test_a_text_that_a_reader_of_yaml_takes_for_a_number_is_quoted(text: str) -> None:
    assert files.as_yaml({"to_number": text}) == f"to_number: '{text}'\n"


def test_the_command_checks() -> None:
    done = subprocess.run([sys.executable, "-m", "deploy.contracts", "--check"], capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_every_type_has_an_example() -> None:
    assert EXAMPLES.keys() == TYPES.keys()


@pytest.mark.parametrize("kind", TYPES)
def test_every_schema_is_one_and_its_example_is_an_event(kind: str) -> None:
    schema = json.loads((FOLDER / f"contracts/events/{kind}.json").read_text())

    Draft202012Validator.check_schema(schema)

    (example,) = schema["examples"]
    assert Draft202012Validator(schema).is_valid(example)
    read = decode(raw(example), arrival=LATEST_MS)
    assert isinstance(read, Event)
    assert read.problems == ()


@pytest.mark.parametrize("kind", TYPES)
def test_what_fits_a_schema_is_read_as_it_is_and_what_does_not_is_not(kind: str) -> None:
    whole = event(kind)
    fields = [(name,) for name in whole if name != "type"] + [("data", name) for name in TYPES[kind].__annotations__]

    for *outer, last in fields:
        for value in VALUES:
            body = {**whole, "data": {**whole["data"], last: value}} if outer else {**whole, last: value}

            assert not valid(body, kind) or read_as_it_is(body), (last, value)
            assert valid(body, kind) or not outer or refused_or_read_otherwise(body, last), (last, value)


@pytest.mark.parametrize("kind", TYPES)
def test_a_schema_asks_for_what_is_required(kind: str) -> None:
    for name in event(kind).keys() - {"data"}:
        body = {key: value for key, value in event(kind).items() if key != name}
        assert valid(body, kind) is read_as_it_is(body), name
    for name in event(kind)["data"]:
        body = with_data(kind)
        del body["data"][name]
        assert valid(body, kind) is read_as_it_is(body), name


@given(st.data())
def test_what_fits_a_schema_is_read_as_it_is_with_any_two_values(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(TYPES)))
    body = with_data(kind)
    for place, names in (("data", sorted(TYPES[kind].__annotations__)), ("", sorted(body.keys() - {"type", "data"}))):
        name = data.draw(st.sampled_from(names))
        (body[place] if place else body)[name] = data.draw(st.sampled_from(VALUES) | st.integers(-(2**63), 2**63 - 1))

    assert not valid(body, kind) or read_as_it_is(body)


@pytest.mark.parametrize(
    "body",
    [
        with_data("call.note", event="x" * 2**20),
        with_data("call.note", data=json.loads('{"a":' * 70 + "1" + "}" * 70)),
        with_data("cost.reported", cost=-1),
    ],
)
def test_what_a_schema_cannot_say_is_refused_all_the_same(body: Json) -> None:
    assert valid(body, body["type"])
    assert isinstance(decode(raw(body), arrival=LATEST_MS), InvalidEvent)


def test_the_schemas_keep_to_keywords_that_mean_the_same_in_draft_07() -> None:
    newer = {"prefixItems", "unevaluatedProperties", "unevaluatedItems", "dependentRequired", "$dynamicRef", "$anchor"}

    text = "".join(text for path, text in files.generated().items() if path.suffix == ".json")

    assert not newer & set(re.findall(r'"([^"]+)":', text))


@pytest.fixture
def asyncapi() -> Json:
    document: Json = yaml.safe_load((FOLDER / "contracts/asyncapi.yaml").read_text())
    return document


def test_every_reference_of_the_asyncapi_document_leads_somewhere(asyncapi: Json) -> None:
    references = list(_references(asyncapi))

    assert len(references) > 2 * len(TYPES)
    for reference in references:
        file, _, pointer = reference.partition("#")
        if file:
            assert (FOLDER / "contracts" / file).is_file(), reference
        found = asyncapi
        for key in pointer.split("/")[1:]:
            found = found[key]


def test_the_asyncapi_document_has_the_topics_with_their_types(asyncapi: Json) -> None:
    channels = {channel["address"]: set(channel["messages"]) for channel in asyncapi["channels"].values()}

    assert asyncapi["asyncapi"] == "3.0.0"
    assert channels == {
        Topics().telephony: set(TELEPHONY),
        Topics().transcription: set(TRANSCRIPTION),
        Topics().dead_letter: {"deadLetter"},
    }
    assert {operation["action"] for operation in asyncapi["operations"].values()} == {"receive", "send"}


@pytest.mark.parametrize("kind", TYPES)
def test_every_message_has_its_key_its_content_type_and_an_example(kind: str, asyncapi: Json) -> None:
    message = asyncapi["components"]["messages"][kind]

    assert message["contentType"] == message["examples"][0]["headers"]["content-type"] == "application/cloudevents+json"
    assert message["payload"] == {"$ref": f"./events/{kind}.json"}
    assert message["bindings"]["kafka"]["key"]["type"] == "string"
    assert valid(message["examples"][0]["payload"], kind)
    assert read_as_it_is(message["examples"][0]["payload"])


def test_the_example_of_a_dead_letter_has_the_headers_that_it_needs(asyncapi: Json) -> None:
    message = asyncapi["components"]["messages"]["deadLetter"]

    Draft202012Validator(message["headers"]).validate(message["examples"][0]["headers"])


def _references(value: Any) -> Any:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for inner in value.values():
                yield from _references(inner)
        case list():
            for inner in value:
                yield from _references(inner)
