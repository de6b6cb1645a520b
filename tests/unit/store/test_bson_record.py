"""A record's fields as BSON, and the document that they become part of."""

from typing import Any

import bson
import pytest

from shared.store.mongo.bson_record import beside, packed
from shared.store.ports import Unstorable
from tests.support.store.makers import record

HEADER = {
    "_id": "org-789/call-456",
    "organization_id": "org-789",
    "call_id": "call-456",
    "state": "final",
    "body": "{}",
}


@pytest.mark.parametrize("metadata", [{}, {"a.b": {"$set": "$27"}}, {"": ""}, {"many": [{"n": 2**63 - 1}] * 100}])
def test_the_document_has_the_header_and_the_records_fields(metadata: dict[str, Any]) -> None:
    made = record(metadata=metadata)
    fields = packed(made, b"{}")
    assert fields is not None

    document = beside(HEADER, fields)

    assert bson.decode(document.raw) == {**HEADER, **made}


def test_the_call_is_named_by_the_header() -> None:
    fields = packed(record(), b"{}")
    assert fields is not None

    document = beside({**HEADER, "organization_id": "another"}, fields)

    assert bson.decode(document.raw)["organization_id"] == "another"


def test_no_name_stands_in_it_twice() -> None:
    fields = packed(record(), b"{}")
    assert fields is not None

    document = beside(HEADER, fields)

    assert bson.encode(bson.decode(document.raw)) == document.raw


def test_the_record_and_its_text_that_would_not_fit_together_are_no_fields() -> None:
    large = record()
    large["metadata"] = {"large": "x" * 7_000_000}

    assert packed(large, b"x" * 7_000_000) is None
    assert packed(large, b"x" * 4_000_000) is not None


@pytest.mark.parametrize("content", [{"\x00": 1}, {"n": 2**63}])
def test_what_bson_cannot_hold_is_unstorable_and_not_quoted(content: dict[str, Any]) -> None:
    odd = record()
    odd["metadata"] = content

    with pytest.raises(Unstorable) as raised:
        packed(odd, b"{}")

    assert raised.value.__cause__ is None
