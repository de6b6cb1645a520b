"""The reference implementation gives what the examples of docs/record.md give by hand."""

from tests.support.reference.cost import SHIPPED, Book, PriceList
from tests.support.reference.examples import AGENT, BEGIN, details, ended, event, fold, problems, started, turn


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


def test_the_details_list_recordings_transfers_and_legs() -> None:
    call = [
        event("recording.available", 1, recording_url="u1", recording_id="r"),
        event("recording.available", 2, recording_url="u2", recording_id="r"),
        event("recording.available", 3, recording_url="u3"),
        event("call.transferred", 4, transfer_id="t", destination="+1", status="started"),
        event("call.transferred", 5, transfer_id="t", status="Bridged", leg_id="b"),
        started(6, leg_id="b", to_number="+2"),
    ]

    shown = details(*call)

    assert [recording["recording_url"] for recording in shown["recordings"]] == ["u2", "u3"]
    assert shown["transfers"] == [
        {
            "transfer_id": "t",
            "destination": "+1",
            "mode": None,
            "status": "bridged",
            "leg_id": "b",
            "at": BEGIN + 4_000,
        }
    ]
    assert [(leg["leg_id"], leg["started_at"], leg["to_number"]) for leg in shown["legs"]] == [
        ("b", BEGIN + 6_000, "+2")
    ]
    assert [entry["event"] for entry in fold(*call)["events"]][3:5] == ["Call transfer - requested", "Call transferred"]


def test_the_details_of_a_call_that_opted_out_have_the_same_ends_and_no_words() -> None:
    call = [started(0, from_number="+1"), turn(10, final=False), ended(60, "user_hangup")]
    opting_out = event("x.y", 70, opt_out_sensitive_data_storage=True)

    shown = details(*call, opting_out)

    assert shown["turns"] == []
    assert shown["ends"] == details(*call)["ends"]
    assert problems(*call, opting_out) == [("turn_not_final", "transcript.turn:10")]
    assert fold(*call, opting_out)["opt_out_sensitive_data_storage"] is True
    assert fold(*call, opting_out)["transcript_object"] == []
    assert fold(*call, opting_out)["from_number"] is None
