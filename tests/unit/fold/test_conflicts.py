"""Repetition, and two bodies under one identity."""

from typing import Any

import pytest

from shared.contract.envelope import canonical
from shared.fold.fold import NoEvents, fold
from tests.support.events.makers import Json, book, decoded, event, raw, record


def rival(agent: str, **data: Any) -> Json:
    return event("call.updated", id="1", agent_id=agent, **data)


def conflicts(*bodies: Json) -> int:
    return fold(decoded(bodies), book()).conflicts


def test_the_same_event_twice_counts_once() -> None:
    usage = event("usage.reported")

    folded = fold(decoded([usage, usage]), book())

    assert (folded.events, folded.conflicts) == (1, 0)
    assert folded.record == fold(decoded([usage]), book()).record


def test_the_same_id_of_two_sources_is_two_events() -> None:
    assert fold(decoded([event("call.dtmf", id="1", source=name) for name in ("/a", "/b")]), book()).events == 2


def test_of_two_bodies_the_lower_counts_whichever_came_first() -> None:
    assert record(rival("a"), rival("b"))["agent_id"] == "a"
    assert record(rival("b"), rival("a"))["agent_id"] == "a"


def test_bodies_compare_as_utf_8_not_as_escapes() -> None:
    assert record(rival("é"), rival("z"))["agent_id"] == "z"


def test_conflicts_are_counted_whatever_the_order_and_the_repetition() -> None:
    three = [rival("a"), rival("b"), rival("c")]

    assert conflicts(*three) == conflicts(*three[::-1], *three) == 2


def test_another_spelling_of_the_same_body_is_no_conflict() -> None:
    body = rival("a", to_number="+2") | {"sequence": 3, "time": "2023-12-20T18:40:30Z"}
    other = dict(reversed(body.items())) | {"sequence": "3", "time": "2023-12-20t19:40:30.0009+01:00", "extra": 1}

    assert conflicts(body, other) == 0


def test_the_canonical_form_is_as_the_rules_spell_it() -> None:
    body = event("x", id="1", at=1_703_097_900_000, sequence=3, n=1.0, é=None)

    assert canonical(raw(body)).decode() == (
        '{"data":{"n":1.0,"é":null},"id":"1","organizationid":"org-789","sequence":"3","source":"/twilio/AC0001",'
        '"specversion":"1.0","subject":"call-456","time":"2023-12-20T18:45:00.000Z","type":"x"}'
    )


def test_a_call_without_events_has_no_record() -> None:
    with pytest.raises(NoEvents):
        fold([], book())
