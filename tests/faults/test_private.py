"""All that opting out takes is in the workload with a mark, and what is left of it is found."""

from collections.abc import Iterator
from itertools import takewhile
from typing import get_type_hints

import orjson
import pytest

from shared.contract.payloads import TYPES
from shared.contract.topics import Topics
from shared.fold.redaction import KEPT, redact
from tests.faults.load.private import is_marked, left_fields, private_data, taken
from tests.faults.load.workload import workload
from tests.support.events.makers import Json, event, raw
from tests.support.reference.reading_events.redaction import stays

FIELDS = [(kind, field) for kind in TYPES for field, _ in taken(kind)]
SECONDS = 10.0


def private(bodies: Iterator[Json]) -> set[tuple[str, str]]:
    """Return the types and fields whose value has a mark, or cannot have one, in these events."""
    return {
        (body["type"], field)
        for body in bodies
        if "aboutus" in body
        for field, value in body["data"].items()
        if value is True or is_marked(raw({"value": value}))
    }


def test_the_workload_marks_every_field_that_opting_out_takes() -> None:
    sent = takewhile(lambda each: each.due < SECONDS, workload(1, 150, Topics("t")))

    assert private(each.event for each in sent if each.event is not None) >= set(FIELDS)


@pytest.mark.parametrize("kind", TYPES)
def test_a_redacted_event_has_no_mark_and_no_field_that_is_taken(kind: str) -> None:
    redacted = redact(raw(event(kind, **private_data(kind)) | {"aboutus": "between-us"}))

    assert not is_marked(redacted)
    assert left_fields(orjson.loads(redacted)) == set()


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_a_field_that_redaction_leaves_is_found(kind: str, field: str) -> None:
    whole = event(kind, **private_data(kind))
    redacted: Json = orjson.loads(redact(raw(whole)))

    redacted["data"][field] = whole["data"][field]

    assert left_fields(redacted) == {field}
    assert is_marked(raw(redacted)) or whole["data"][field] is True


def test_what_stays_by_the_reference_implementation_is_what_the_worker_keeps() -> None:
    for kind, model in TYPES.items():
        fields = get_type_hints(model).keys()

        assert stays(kind) & fields == set(KEPT.get(kind, ())) & fields, kind
