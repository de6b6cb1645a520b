"""The reference implementation gives what the examples of docs/record.md give by hand."""

from typing import Any

import pytest

from tests.support.reference.cost import SHIPPED, Book, PriceList
from tests.support.reference.details import reference_details
from tests.support.reference.fold import reference_fold

Json = dict[str, Any]

BEGIN = 1_773_136_800_000  # 2026-03-10T10:00:00Z
PBX, AGENT = "/pbx/7", "/agent/3"


def event(type_: str, second: int, source: str = PBX, **data: Any) -> Json:
    """Return an event at a second of the call; its `id` is its type and second."""
    return {
        "specversion": "1.0",
        "id": f"{type_}:{second}",
        "source": source,
        "type": type_,
        "subject": "call-1",
        "time": f"2026-03-10T{10 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}Z",
        "organizationid": "org-1",
        "data": data,
    }


def started(second: int, source: str = PBX, **data: Any) -> Json:
    return event("call.started", second, source, direction="inbound", **data)


def ended(second: int, reason: str, source: str = PBX, **data: Any) -> Json:
    return event("call.ended", second, source, disconnection_reason=reason, **data)


def turn(second: int, content: str = "Hello", **data: Any) -> Json:
    return event("transcript.turn", second, AGENT, role="user", content=content, **data)


def fold(*bodies: Json, book: Book | None = None) -> Json:
    return reference_fold(bodies, book or Book())


def details(*bodies: Json, book: Book | None = None) -> Json:
    return reference_details(bodies, book or Book())


def problems(*bodies: Json, book: Book | None = None) -> list[tuple[str, str | None]]:
    found = details(*bodies, book=book)["problems"]
    return [(problem["kind"], problem["event"] and problem["event"]["id"]) for problem in found]


def standings(*bodies: Json) -> list[str]:
    return [end["standing"] for end in details(*bodies)["ends"]]


def test_a_phone_that_rang_next_to_the_answered_one_does_not_end_the_call() -> None:
    call = [
        started(18, "/pbx/7/leg/b2"),
        turn(19),
        ended(20, "no_answer", "/pbx/7/leg/b1", duration_ms=0),
        turn(200),
        ended(318, "normal_clearing", "/pbx/7/leg/b2", duration_ms=300_000),
    ]

    record = fold(*call)

    assert (record["call_status"], record["disconnection_reason"]) == ("ENDED", "normal_clearing")
    assert (record["end_timestamp"], record["call_duration"]) == (BEGIN + 318_000, 300)
    assert record["call_cost"]["combined_cost"] == pytest.approx(0.1)
    assert standings(*call) == ["overruled", "final"]
    assert problems(*call) == [("end_overruled", "call.ended:20")]


def test_the_call_goes_on_when_leg_a_leaves_and_b_stays() -> None:
    so_far = [
        started(0, leg_id="a"),
        started(20, leg_id="b"),
        ended(30, "user_hangup", leg_id="a"),
        turn(100),
    ]

    assert fold(*so_far)["call_status"] == "ONGOING"
    assert standings(*so_far) == ["leg"]

    call = [*so_far, ended(310, "completed", leg_id="b")]

    assert fold(*call)["disconnection_reason"] == "completed"
    assert fold(*call)["call_duration"] == 310
    assert standings(*call) == ["overruled", "final"]
    assert [(leg["leg_id"], leg["duration"]) for leg in details(*call)["legs"]] == [("a", 30), ("b", 290)]


def test_the_gap_of_a_drop_is_not_talk() -> None:
    so_far = [started(0), ended(1080, "completed"), started(1200), turn(1300)]

    live = fold(*so_far)

    assert (live["call_status"], live["call_duration"]) == ("ONGOING", None)
    assert live["call_cost"]["total_duration_seconds"] == 1300 - 120
    assert problems(*so_far) == [("end_undone", "call.ended:1080")]

    call = [*so_far, ended(1500, "user_hangup")]

    assert fold(*call)["call_duration"] == 1500 - 120
    assert standings(*call) == ["undone", "final"]


def test_durations_of_a_drop_and_of_the_end_add_up() -> None:
    call = [
        started(0),
        ended(1080, "completed", duration_ms=1_079_000),
        started(1200),
        ended(1500, "user_hangup", duration_ms=299_000),
    ]

    assert fold(*call)["call_duration"] == 1079 + 299
    assert problems(*call) == [("end_undone", "call.ended:1080")]


def test_a_duration_that_already_covers_the_whole_is_not_added_to() -> None:
    call = [
        started(0),
        ended(1080, "completed", duration_ms=1_080_000),
        started(1200),
        ended(1500, "user_hangup", duration_ms=1_500_000),
    ]

    assert fold(*call)["call_duration"] == 1500 - 120
    assert problems(*call) == [("end_undone", "call.ended:1080"), ("duration_disagrees", "call.ended:1500")]


def test_an_end_after_which_people_talked_gives_way() -> None:
    call = [
        started(0),
        event("call.failed", 60, "/pbx/7/leg/c", disconnection_reason="sip_routing_error"),
        turn(200),
        ended(360, "completed"),
    ]

    record = fold(*call)

    assert (record["call_status"], record["call_duration"]) == ("ENDED", 360)
    assert [entry["event"] for entry in record["events"]] == [
        "Call started - INBOUND",
        "Call failed - sip_routing_error",
        "Call ended - completed",
    ]


@pytest.mark.parametrize(("last", "standing"), [(75, "counts"), (115, "overruled")])
def test_turns_made_afterwards_overrule_only_when_they_are_far_apart(last: int, standing: str) -> None:
    call = [started(0), ended(60, "completed", AGENT), turn(70), turn(last), ended(120, "user_hangup", AGENT)]

    # Turns without times of their own: 75 s is 5 s from 70 s, 115 s is 45 s from it.
    assert standings(*call) == [standing, "final"]


def test_of_ends_that_are_left_the_specific_reason_comes_before_the_later_one() -> None:
    call = [started(0), ended(60, "agent_hangup", AGENT), ended(61, "Normal Call-Clearing", "/carrier")]

    record = fold(*call)

    assert (record["disconnection_reason"], record["end_timestamp"]) == ("agent_hangup", BEGIN + 60_000)
    assert standings(*call) == ["final", "counts"]


def test_an_inferred_end_ends_a_call_until_something_happens_later() -> None:
    inferred = ended(100, "inactivity", "/callfold/closer", inferred=True)
    call = [started(0), turn(100), inferred]

    assert (fold(*call)["call_status"], fold(*call)["call_duration"]) == ("ENDED", 100)
    assert fold(*call)["events"][-1]["data"] == {"inferred": True}
    assert fold(*call, turn(101))["call_status"] == "ONGOING"
    assert standings(*call, turn(101)) == ["inferred"]
    assert standings(*call, ended(103, "user_hangup")) == ["inferred", "final"]


def test_an_inferred_end_lets_ends_of_connected_legs_count() -> None:
    call = [
        started(0, leg_id="a"),
        started(5, leg_id="b"),
        ended(100, "user_hangup", leg_id="a"),
        ended(102, "inactivity", "/callfold/closer", inferred=True),
    ]

    record = fold(*call)

    assert (record["disconnection_reason"], record["end_timestamp"]) == ("user_hangup", BEGIN + 100_000)
    assert standings(*call) == ["final", "counts"]


def test_an_end_before_the_start_counts_as_not_stated() -> None:
    call = [started(0), turn(30), ended(54, "completed", end_timestamp=BEGIN - 14_400_000)]

    assert (fold(*call)["end_timestamp"], fold(*call)["call_duration"]) == (BEGIN + 54_000, 54)
    assert problems(*call) == [("end_before_start", "call.ended:54")]


def test_talk_long_after_the_end_is_a_problem_and_changes_nothing() -> None:
    call = [started(0), ended(30, "user_hangup"), turn(90), turn(91)]

    assert fold(*call)["call_duration"] == 30
    assert problems(*call) == [("talk_after_end", "transcript.turn:91")]


def test_a_call_without_a_start_begins_with_its_first_turn() -> None:
    call = [event("call.created", 0), turn(6), turn(300), ended(305, "user_hangup")]

    record = fold(*call)

    assert (record["start_timestamp"], record["call_duration"]) == (BEGIN + 6_000, 299)
    assert record["call_cost"]["product_costs"][0]["product"] == "phone_call"
    assert problems(*call) == [("unknown_direction", None)]


def test_what_is_said_of_a_leg_does_not_hide_what_is_said_of_the_call() -> None:
    call = [
        event("call.created", 0, from_number="+1", metadata={"queue": "a"}),
        event("call.ringing", 1, leg_id="b1", from_number="+2", to_number="+3", metadata={"queue": "b", "phone": 1}),
        event("call.ringing", 2, leg_id="b2", to_number="+4", metadata={"phone": 2}),
        event("call.ringing", 3, leg_id="b1", to_number="+5"),
    ]

    record = fold(*call)

    assert (record["from_number"], record["to_number"]) == ("+1", "+5")
    assert record["metadata"] == {"queue": "a", "phone": 1}


def test_the_last_words_stand_when_the_call_has_ended() -> None:
    last = turn(8, "No, please do not", turn_id="2", final=False, revision=1)
    so_far = [started(0), turn(4, "Shall I?", turn_id="1"), turn(7, "No", turn_id="2", final=False), last]

    assert fold(*so_far)["transcript"] == "Shall I?"

    call = [*so_far, ended(9, "user_hangup")]

    assert fold(*call)["transcript"] == "Shall I?\nNo, please do not"
    assert problems(*call) == [("turn_not_final", "transcript.turn:8")]


def test_a_result_never_stands_before_its_call() -> None:
    call = [
        started(0),
        event("tool.returned", 8, AGENT, tool_call_id="call_0", content="none"),
        turn(9, "Find Ms. Roe"),
        event("tool.called", 10, AGENT, tool_call_id="call_0", name="search", arguments={"b": 1, "a": "é"}),
        event("tool.called", 20, AGENT, tool_call_id="call_0", name="book"),
        event("tool.returned", 21, AGENT, tool_call_id="call_0", content={"ok": True}, successful=True),
    ]

    entries = fold(*call)["transcript_with_tool_calls"]

    shown = [entry.get("name") or entry["content"] for entry in entries]
    assert shown == ["Find Ms. Roe", "search", "none", "book", '{"ok":true}']
    assert [entries[1]["arguments"], entries[3]["arguments"]] == ['{"a":"é","b":1}', "{}"]
    pairs = [(tool["name"], tool["content"]) for tool in details(*call)["tool_calls"]]
    assert pairs == [("search", "none"), ("book", '{"ok":true}')]


def test_the_total_is_the_sum_of_rounded_lines() -> None:
    euro = PriceList(SHIPPED.effective, SHIPPED.products, minimum="30", rates={"EUR": "1.1"})
    call = [
        started(0),
        event("usage.reported", 1, AGENT, product="llm_usage", quantity=100, usage_id="u"),
        event("usage.reported", 2, AGENT, product="llm_usage", quantity=450, usage_id="u"),
        event("usage.reported", 3, AGENT, product="gpt", quantity=1),
        event("cost.reported", 4, product="carrier", cost="0.1", currency="EUR", unit_price="0.05"),
        event("cost.reported", 5, product="carrier", cost="9", currency="INR"),
        event("cost.reported", 6, product="inbound_call", cost="-0.002", kind="adjustment"),
        ended(20, "completed"),
    ]

    cost = fold(*call, book=Book((euro,)))["call_cost"]

    # 30 s at 0.02 a minute, less the credit; 0.1 EUR at 1.1; 450 units at 0.001.
    assert cost["product_costs"] == [
        {"product": "inbound_call", "cost": 0.008, "unit_price": 0.02},
        {"product": "carrier", "cost": 0.11, "unit_price": None},
        {"product": "gpt", "cost": 0, "unit_price": None},
        {"product": "llm_usage", "cost": 0.45, "unit_price": 0.001},
    ]
    assert (cost["combined_cost"], cost["total_one_time_price"]) == (0.568, 0.558)
    assert (cost["total_duration_seconds"], cost["total_duration_unit_price"]) == (30, 0.02)
    assert problems(*call, book=Book((euro,))) == [
        ("unrated_product", "usage.reported:3"),
        ("currency_without_rate", "cost.reported:5"),
    ]


def test_a_call_that_only_rang_is_not_timed() -> None:
    rang = [event("call.ringing", 1), ended(20, "no_answer", duration_ms=19_000)]

    assert fold(*rang)["call_cost"] is None
    assert fold(rang[1])["call_cost"]["total_duration_seconds"] == 19


def test_of_samples_the_latest_of_a_name_stands_and_percentiles_interpolate() -> None:
    values = [("a", 999), ("a", 100), ("b", 200), ("c", 400)]
    call = [
        event("latency.sampled", second, AGENT, component="llm", value_ms=value, sample_id=sample)
        for second, (sample, value) in enumerate(values)
    ]

    latency = fold(*call)["latency"]["llm"]

    # Of 100, 200 and 400: h = 2 * 0.9 = 1.8, 200 + 0.8 * 200.
    assert latency == {
        "max": 400, "min": 100, "num": 3, "p50": 200, "p90": 360, "p95": 380, "p99": 396, "values": [100, 200, 400],
    }  # fmt: skip
