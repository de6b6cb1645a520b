"""The document of a call in MongoDB: its header, and the record as text and as fields."""

from dataclasses import replace
from typing import Any, cast

import bson
import orjson
import pytest
import zstandard

from benchmarks.load.calls import Workload
from shared.fold.fold import fold
from shared.fold.record import Record
from shared.store.models import MAX_RECORD_BYTES, Lease
from shared.store.mongo.record_documents import call_document, native_fields, stored_of
from shared.store.states import State
from tests.support.events.makers import book, decoded, event
from tests.support.events.seed_call import seed_call
from tests.support.store.makers import CALL, body_of, record, result

LEASE = Lease(CALL, "token", partition=7, last_arrival=1_000, attempts=1, opted_out=False)
FINAL = {"_id": CALL, "state": "final", "opt_out": False, "last_arrival": 1, "etag": '"x"'}
MEGABYTE = 1_000_000
MOST_BYTES_AN_EVENT = 140


@pytest.mark.parametrize("metadata", [{}, {"a.b": {"$set": "$27"}}, {"": ""}, {"many": [{"n": 2**63 - 1}] * 100}])
def test_the_document_has_the_header_and_the_fields_of_the_record(metadata: dict[str, Any]) -> None:
    made = record(metadata=metadata)

    document = call_document(LEASE, replace(result(), record=made))

    stored = bson.decode(bson.encode(document))
    native = native_fields(made)
    assert {name: stored[name] for name in native} == native
    assert (stored["_id"], stored["organization_id"], stored["call_id"]) == (CALL, "org-789", "call-456")
    assert (stored["state"], stored["token"]) == ("final", "token")
    assert zstandard.decompress(stored["body"]) == result().body


def test_turns_are_native_without_their_words_and_tool_calls_without_the_turns() -> None:
    events = [*seed_call(), event("tool.called", id="c"), event("tool.returned", id="r", content="sent")]
    made = fold(decoded(events), book()).record
    assert any(turn["words"] for turn in made["transcript_object"])

    document = call_document(LEASE, replace(result(), record=made, body=orjson.dumps(made)))

    whole = orjson.loads(zstandard.decompress(document["body"]))
    assert whole == made
    assert document["transcript_object"] == [
        {name: turn[name] for name in ("role", "content", "timestamp")} for turn in whole["transcript_object"]
    ]
    assert [entry["role"] for entry in document["tool_calls"]] == ["tool_call_invocation", "tool_call_result"]
    assert all(entry in whole["transcript_with_tool_calls"] for entry in document["tool_calls"])
    assert "transcript_with_tool_calls" not in document
    left = {"transcript_object", "transcript_with_tool_calls"}
    assert {name: document[name] for name in made if name not in left} == {
        name: value for name, value in whole.items() if name not in left
    }


def test_the_call_is_named_by_the_header() -> None:
    made = record()
    made["organization_id"] = "another"

    document = call_document(LEASE, replace(result(), record=made))

    assert document["organization_id"] == "org-789"


@pytest.mark.parametrize(
    ("metadata", "text", "kept"),
    [
        ({"large": "x" * 12 * MEGABYTE}, 12 * MEGABYTE, True),
        ({"large": "x" * 7 * MEGABYTE}, 13 * MEGABYTE, False),
        ({"large": "x" * 13 * MEGABYTE}, 2 * MEGABYTE, False),
        ({"many": [0] * 1_100_000}, 2 * MEGABYTE, False),  # BSON takes 13 bytes for each
    ],
)
def test_a_record_that_does_not_fit_with_its_text_leaves_the_header_alone(
    metadata: dict[str, Any], text: int, kept: bool
) -> None:
    made = record()
    made["metadata"] = metadata

    document = call_document(LEASE, replace(result(), record=made, body=b"x" * text))

    assert ("body" in document, "metadata" in document) == (kept, kept)
    assert document["etag"] == result().etag


def test_a_document_of_an_earlier_version_is_read_as_it_is() -> None:
    found = stored_of({**FINAL, "body": '{"a":"\u00e9"}'})

    assert (found.state, found.etag, body_of(found)) == (State.FINAL, '"x"', '{"a":"\u00e9"}'.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"text",
        7,
        None,
        zstandard.compress(b"text")[:-1],
        zstandard.compress(b"text") + b"more",
        zstandard.ZstdCompressor(write_content_size=False).compress(b"text"),
        zstandard.ZstdCompressor(write_checksum=True).compress(b"text"),
        zstandard.compress(bytes(MAX_RECORD_BYTES + 1)),
    ],
)
def test_a_body_that_no_program_writes_is_no_record(body: Any) -> None:
    found = stored_of({**FINAL, "body": body})

    assert body_of(found) is None


def test_the_document_of_a_usual_call_takes_few_bytes_an_event() -> None:
    """As fields with words and with the text as it is, it took 940."""
    workload = Workload(events=100, calls=20)
    documents, events = [], 0
    for number in range(workload.calls):
        key, record_of_call = workload.expected(number)
        made = replace(result(), record=cast(Record, record_of_call), body=orjson.dumps(record_of_call))
        documents.append(call_document(replace(LEASE, call=key), made))
        events += workload.size(number)

    written = sum(len(bson.encode(document)) for document in documents)

    assert written / events < MOST_BYTES_AN_EVENT
