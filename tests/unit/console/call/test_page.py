"""What the call's page says: lines, latency, cost, ends."""

from typing import Any

from services.console.call.ends import EndRow
from services.console.call.page import CallPage, Said, Slowest
from tests.support.console.call_page import page
from tests.support.events.makers import STARTED, Json, event


def sample(component: str, value: float, at: int, **data: Any) -> Json:
    return event("latency.sampled", at=STARTED + at, component=component, value_ms=value, source="/agent", **data)


def turn(name: str, at: int, **data: Any) -> Json:
    source = data.pop("source", "/agent")
    return event("transcript.turn", at=STARTED + at, turn_id=name, content=name, source=source, **data)


def samples_of(shown: CallPage) -> dict[str, list[float]]:
    return {line.content: [sample.milliseconds for sample in line.samples] for line, _ in shown.lines(1)}


def standings(shown: CallPage) -> list[tuple[str, str]]:
    return [(row.reason, row.standing) for row in shown.ends]


def row(shown: CallPage, reason: str) -> EndRow:
    return next(each for each in shown.ends if each.reason == reason)


def test_a_sample_belongs_to_the_turn_that_it_names() -> None:
    shown = page(turn("a", 1_000), turn("b", 9_000), sample("e2e", 400, 10_000, turn_id="a"))

    assert samples_of(shown) == {"a": [400], "b": []}
    assert shown.latency[0].slowest is not None
    assert shown.latency[0].slowest.stated


def test_a_sample_that_names_no_turn_belongs_to_the_latest_that_had_begun() -> None:
    shown = page(turn("a", 1_000), turn("b", 9_000), sample("e2e", 400, 8_999), sample("e2e", 500, 9_000))

    assert samples_of(shown) == {"a": [400], "b": [500]}


def test_an_id_that_two_sources_use_names_no_turn_of_a_third() -> None:
    shown = page(turn("a", 1_000, source="/x"), turn("a", 9_000, source="/y"), sample("e2e", 400, 2_000, turn_id="a"))

    assert [len(line.samples) for line, _ in shown.lines(1)] == [1, 0]


def test_a_sample_before_all_turns_belongs_to_none() -> None:
    shown = page(sample("e2e", 400, 0), turn("a", 1_000))

    assert samples_of(shown) == {"a": []}
    assert dict(shown.slowest) == {}


def test_the_slowest_reply_is_linked_to_what_came_before_it() -> None:
    shown = page(turn("a", 1_000), turn("b", 9_000), sample("e2e", 1_412, 2_000), sample("e2e", 300, 9_500))

    assert shown.slowest["e2e"] == Slowest(None, [Said(f"#{shown.lines(1)[0][0].anchor}", "assistant: a")])


def test_a_reply_that_a_sample_names_is_told_from_what_came_before_it() -> None:
    shown = page(turn("a", 1_000), turn("b", 9_000), sample("e2e", 1_412, 2_000, turn_id="b"))

    first, second = (line.anchor for line, _ in shown.lines(1))
    assert shown.slowest["e2e"] == Slowest(Said(f"#{second}", "assistant: b"), [Said(f"#{first}", "assistant: a")])


def test_a_tool_that_was_called_before_a_slow_reply_is_told_too() -> None:
    used = event("tool.called", at=STARTED + 3_000), event("tool.returned", at=STARTED + 4_000)
    shown = page(turn("a", 1_000), *used, turn("b", 9_000), sample("e2e", 1_412, 9_000))

    before = [said.text for said in shown.slowest["e2e"].before]

    assert before == ["assistant: a", "tool find_order (1\u00a0s)"]


def test_a_sample_of_the_moment_at_which_an_agent_began_is_of_that_reply() -> None:
    shown = page(turn("a", 1_000), turn("b", 9_000), sample("e2e", 1_412, 9_000))

    first, second = (line.anchor for line, _ in shown.lines(1))
    assert shown.slowest["e2e"] == Slowest(Said(f"#{second}", "assistant: b"), [Said(f"#{first}", "assistant: a")])


def test_a_reply_of_more_than_a_second_is_slow_and_a_part_of_one_is_not() -> None:
    shown = page(turn("a", 1_000), sample("e2e", 1_001, 1_500), turn("b", 2_000), sample("llm", 3_000, 2_500))

    assert [line.slow for line, _ in shown.lines(1)] == [True, False]


def test_bars_count_every_sample() -> None:
    shown = page(turn("a", 1_000), *(sample("tts", value, 2_000) for value in (10, 10, 11, 400, 400.5)))

    (tts,) = shown.latency
    assert sum(int(bar.title.split()[0]) for bar in tts.bars) == 5
    assert (tts.ticks[0].text, tts.ticks[-1].percent) == ("0", 100.0)


def test_a_latency_of_zero_can_be_drawn() -> None:
    shown = page(turn("a", 1_000), sample("tts", 0, 2_000))

    assert len(shown.latency[0].bars) == 1


def test_the_cost_says_what_each_line_is_made_of() -> None:
    shown = page(
        event("call.started", direction="inbound"),
        event("usage.reported", product="llm_usage", quantity=30, unit="requests"),
        event("usage.reported", product="llm_usage", quantity=20, unit="requests"),
        event("cost.reported", product="carrier", cost="0.03"),
        event("call.ended", at=STARTED + 93_000),
    )

    assert shown.cost is not None
    made = {line.product: [part.how for part in line.parts] for line in shown.cost.lines}
    assert made == {
        "inbound_call": ["93 s ÷ 60 \u00d7 0.02 per minute"],
        "carrier": ["stated by /twilio/AC0001"],
        "llm_usage": ["50 requests \u00d7 0.001"],
    }
    assert shown.cost.adds_up


def test_of_two_ends_a_specific_reason_comes_before_a_general_one() -> None:
    shown = page(
        event("call.started"),
        event("call.ended", at=STARTED + 9_000, disconnection_reason="user_hangup"),
        event("call.ended", at=STARTED + 9_500, disconnection_reason="hangup"),
    )

    assert standings(shown) == [("user_hangup", "final"), ("hangup", "counts")]
    assert "a specific reason comes before a general one" in row(shown, "hangup").why


def test_an_end_that_the_call_survived_is_undone() -> None:
    shown = page(
        event("call.started"),
        event("call.ended", at=STARTED + 9_000, disconnection_reason="dropped"),
        event("call.started", at=STARTED + 12_000),
        event("call.ended", at=STARTED + 30_000, disconnection_reason="user_hangup"),
    )

    assert standings(shown) == [("dropped", "undone"), ("user_hangup", "final")]
    assert row(shown, "user_hangup").why == "The only end that counts."


def test_links_stay_when_events_come_before_and_turns_are_revised() -> None:
    before = page(turn("b", 9_000))
    after = page(turn("a", 1_000), turn("b", 9_000), turn("b", 9_500, revision=1))

    assert before.lines(1)[0][0].anchor == after.lines(1)[1][0].anchor


def test_of_many_samples_of_a_component_a_line_shows_the_slowest() -> None:
    shown = page(turn("a", 1_000), *(sample("e2e", value, 2_000) for value in (300, 900, 500)), sample("llm", 1, 2_000))

    ((line, _),) = shown.lines(1)
    assert [(each.component, each.milliseconds, count) for each, count in line.slowest] == [
        ("e2e", 900, 3),
        ("llm", 1, 1),
    ]
