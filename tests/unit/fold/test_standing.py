"""What becomes of each event, by the rules that fold the call."""

import pytest

from shared.contract.decode_event import Event, decode
from shared.fold.events import call_events
from shared.fold.standing import Standing, standings, superseded
from tests.support.events.makers import STARTED, Json, decoded, event, raw

COUNTS, COPY, LOST, SUPERSEDED = Standing.COUNTS, Standing.COPY, Standing.LOST, Standing.SUPERSEDED


def standing_of(*bodies: Json, opted_out: bool = False) -> list[Standing]:
    return standing_of_events(list(decoded(bodies)), opted_out=opted_out)


def standing_of_events(events: list[Event], *, opted_out: bool = False) -> list[Standing]:
    replaced = superseded(call_events(events, opted_out=opted_out))
    return [standing for _, standing in standings(events, replaced, opted_out=opted_out)]


def version(agent: str) -> Json:
    return event("call.updated", id="1", agent_id=agent)


def test_of_two_bodies_under_one_identity_the_one_that_the_fold_takes_counts() -> None:
    assert standing_of(version("b"), version("a")) == [LOST, COUNTS]


def test_further_deliveries_are_copies_of_what_counts_and_of_what_lost() -> None:
    assert standing_of(version("b"), version("a"), version("b"), version("a")) == [LOST, COUNTS, COPY, COPY]


def test_another_spelling_of_a_body_is_a_copy() -> None:
    body = version("a")

    assert sorted(standing_of(body, dict(reversed(body.items())))) == [COPY, COUNTS]


def test_deliveries_with_a_wrong_clock_are_copies_of_the_earliest() -> None:
    body = raw(version("a") | {"time": "2099-01-01T00:00:00Z"})

    events = [decode(body, arrival=STARTED + second * 1_000) for second in (1, 0)]

    assert standing_of_events([each for each in events if isinstance(each, Event)]) == [COPY, COUNTS]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("usage.reported", {"usage_id": "u"}),
        ("cost.reported", {"line_id": "l", "product": "p", "cost": 1}),
        ("latency.sampled", {"sample_id": "s"}),
        ("recording.available", {"recording_id": "r"}),
        ("transcript.turn", {"turn_id": "t"}),
    ],
)
def test_a_later_version_supersedes_an_earlier_one(kind: str, names: Json) -> None:
    later, earlier = (event(kind, id=name, at=STARTED + at, **names) for name, at in (("b", 2), ("a", 1)))

    assert standing_of(later, earlier) == [COUNTS, SUPERSEDED]


def test_a_retraction_supersedes_a_turn() -> None:
    turn = event("transcript.turn", turn_id="t", revision=1)

    found = standing_of(turn, event("transcript.retracted", turn_id="t", revision=1))

    assert found == [SUPERSEDED, COUNTS]


def test_of_an_opted_out_call_the_redacted_events_are_compared() -> None:
    notes = [event("call.note", id="1", event=text) for text in ("a", "b")]

    assert standing_of(*notes) == [COUNTS, LOST]
    assert standing_of(*notes, opted_out=True) == [COUNTS, COPY]
