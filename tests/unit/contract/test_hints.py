"""What `callfold validate` says of events that are valid and yet probably wrong."""

import pytest

from shared.contract.hints import resembling, unknown_fields
from shared.contract.payloads import OPT_OUT, TYPES
from tests.support.events.makers import Json, event, raw


def test_an_unknown_field_is_named_with_the_one_that_it_resembles() -> None:
    flag: Json = {OPT_OUT: True}
    body = event("call.ended", end_timestmp=1, anything=2, ended_by="user", **flag)

    assert [(problem.kind, problem.field, problem.detail) for problem in unknown_fields(raw(body))] == [
        (
            "unknown_field",
            "end_timestmp",
            "`data.end_timestmp` is no field of `call.ended`: did you mean `end_timestamp`?",
        ),
        ("unknown_field", "anything", "`data.anything` is no field of `call.ended`"),
    ]


def test_so_is_one_inside_an_identifier() -> None:
    body = event("call.created", telephony_identifier={"callsid": "CA1"})

    [problem] = unknown_fields(raw(body))

    assert problem.field == "telephony_identifier"
    assert problem.detail.endswith("did you mean `call_sid`?")


@pytest.mark.parametrize("kind", TYPES)
def test_the_fields_of_a_type_are_known(kind: str) -> None:
    nulls: Json = dict.fromkeys(TYPES[kind].__annotations__)

    assert unknown_fields(raw(event(kind, **nulls))) == []


@pytest.mark.parametrize(
    "value",
    [
        raw(event("x", anything=1)),
        raw(event("call.created") | {"data": [1]}),
        raw(event("call.created") | {"data": None, "data_base64": "?"}),
        raw(event("call.created") | {"type": ["a"]}),
        b"[]",
    ],
)
def test_what_has_no_known_fields_has_no_unknown_ones(value: bytes) -> None:
    assert unknown_fields(value) == []


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("com.example.call.ended.v1", "call.ended"),
        ("call.end", "call.ended"),
        ("call_ended", "call.ended"),
        ("Call.Ended", "call.ended"),
        ("transcript.turns", "transcript.turn"),
        ("com.example.cost-report", "cost.reported"),
        ("call.completed", "call.ended"),
        ("call.no-answer", "call.ended"),
        ("call.in_progress", "call.started"),
        ("twilio.answered", "call.started"),
        ("call.ended", None),
        ("sentiment.guessed", None),
        ("x", None),
        ("", None),
    ],
)
def test_an_unknown_type_that_resembles_a_known_one_is_named(kind: str, known: str | None) -> None:
    assert resembling(kind) == known
