"""The document of a call in MongoDB: its header, and the record as text and as fields."""

from dataclasses import replace
from typing import Any

import bson
import pytest

from shared.store.models import Lease
from shared.store.mongo.documents import call_document
from tests.support.store.makers import CALL, record, result

LEASE = Lease(CALL, "token", partition=7, last_arrival=1_000, attempts=1, opted_out=False)
MEGABYTE = 1_000_000


@pytest.mark.parametrize("metadata", [{}, {"a.b": {"$set": "$27"}}, {"": ""}, {"many": [{"n": 2**63 - 1}] * 100}])
def test_the_document_has_the_header_and_the_fields_of_the_record(metadata: dict[str, Any]) -> None:
    made = record(metadata=metadata)

    document = call_document(LEASE, replace(result(), record=made))

    stored = bson.decode(bson.encode(document))
    assert {name: stored[name] for name in made} == made
    assert (stored["_id"], stored["state"], stored["token"], stored["body"]) == (
        CALL,
        "final",
        "token",
        result().body.decode(),
    )


def test_the_call_is_named_by_the_header() -> None:
    made = record()
    made["organization_id"] = "another"

    document = call_document(LEASE, replace(result(), record=made))

    assert document["organization_id"] == "org-789"


@pytest.mark.parametrize(
    ("metadata", "text", "kept"),
    [
        ({"large": "x" * 7 * MEGABYTE}, 4 * MEGABYTE, True),
        ({"large": "x" * 7 * MEGABYTE}, 7 * MEGABYTE, False),
        ({"many": [0] * MEGABYTE}, 2 * MEGABYTE, False),  # BSON takes 12 bytes for each
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
