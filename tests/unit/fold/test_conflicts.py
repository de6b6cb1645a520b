"""Repeated events, and conflicting versions of one."""

from typing import Any

import pytest

from shared.contract.decode_event import canonical
from shared.fold.call import NoEvents
from shared.fold.fold import fold
from tests.support.events.makers import Json, book, decoded, event, raw, record


def version(agent: str, **data: Any) -> Json:
    return event("call.updated", id="1", agent_id=agent, **data)


def conflicts(*bodies: Json) -> int:
    return fold(decoded(bodies), book()).conflicts


def test_the_same_event_twice_counts_once() -> None:
    usage = event("usage.reported")

    folded = fold(decoded([usage, usage]), book())

    assert (folded.events, folded.conflicts) == (1, 0)
    assert folded.record == fold(decoded([usage]), book()).record


def test_the_same_id_from_two_sources_is_two_events() -> None:
    assert fold(decoded([event("call.dtmf", id="1", source=name) for name in ("/a", "/b")]), book()).events == 2


def test_of_conflicting_versions_the_lower_wins_in_either_order() -> None:
    assert record(version("a"), version("b"))["agent_id"] == "a"
    assert record(version("b"), version("a"))["agent_id"] == "a"


def test_versions_are_compared_as_utf_8_not_as_escapes() -> None:
    assert record(version("é"), version("z"))["agent_id"] == "z"


def test_conflicts_are_counted_in_any_order_and_repetition() -> None:
    three = [version("a"), version("b"), version("c")]

    assert conflicts(*three) == conflicts(*three[::-1], *three) == 2


def test_another_spelling_of_the_same_body_is_not_a_conflict() -> None:
    body = version("a", to_number="+2") | {"sequence": 3, "time": "2023-12-20T18:40:30Z"}
    other = dict(reversed(body.items())) | {"sequence": "3", "time": "2023-12-20t19:40:30.0009+01:00", "extra": 1}

    assert conflicts(body, other) == 0


def test_the_canonical_form_is_the_documented_one() -> None:
    body = event("x", id="1", at=1_703_097_900_000, sequence=3, n=1.0, é=None)

    assert canonical(raw(body)).decode() == (
        '{"data":{"n":1.0,"é":null},"id":"1","organizationid":"org-789","sequence":"3","source":"/twilio/AC0001",'
        '"specversion":"1.0","subject":"call-456","time":"2023-12-20T18:45:00.000Z","type":"x"}'
    )


def test_a_call_without_events_has_no_record() -> None:
    with pytest.raises(NoEvents):
        fold([], book())
