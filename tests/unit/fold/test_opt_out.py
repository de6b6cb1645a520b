"""Opted-out calls, and redacted events."""

import json
from base64 import b64encode
from typing import Any

import orjson
import pytest

from shared.contract.decode_event import Event, InvalidEvent, decode_logged
from shared.fold.fold import fold
from shared.fold.redaction import redact
from tests.support.events.makers import STARTED, Json, book, decoded, event, raw, record

FLAG: dict[str, Any] = {"opt_out_sensitive_data_storage": True}

CALL = [
    event("call.created", from_number="+1", to_number="+2", agent_id="agent-1", metadata={"tier": "gold"}),
    event("call.started", direction="inbound", public_log_url="https://log", recording_url="https://recording"),
    event("call.transferred", destination="+3", mode="warm", transfer_id="t-1"),
    event("call.dtmf", digits="27"),
    event("call.note", event="Has the flu", data={"since": "Monday"}),
    event("sentiment.guessed", mood="bad"),
    event("transcript.turn", content="I have the flu"),
    event("tool.called", arguments={"illness": "flu"}),
    event("call.analyzed", analysis={"illness": "flu"}),
    event("recording.available", duration_ms=5_000),
    event("latency.sampled", value_ms=7),
    event("usage.reported", quantity=50),
    event("cost.reported", product="carrier", cost=1, line_id="1"),
    event("call.failed", at=STARTED + 60_000, message="flu", ended_by="agent", sip_code=500),
]


def redacted(event: Event, at: int = 1) -> Event:
    left = decode_logged(redact(event.raw), redacted_at=at)
    assert not isinstance(left, InvalidEvent)
    return left


@pytest.mark.parametrize("body", [event("call.updated", **FLAG), event("call.dtmf", **FLAG), event("x", **FLAG)])
def test_an_event_of_any_type_may_opt_out(body: Json) -> None:
    assert record(body)["opt_out_sensitive_data_storage"] is True


@pytest.mark.parametrize("value", [False, None])
def test_false_and_null_do_not_opt_out(value: bool | None) -> None:
    found = record(event("call.updated", opt_out_sensitive_data_storage=value))

    assert found["opt_out_sensitive_data_storage"] is False


@pytest.mark.parametrize("value", ["true", "TRUE", "yes", 1, {}])
def test_a_flag_that_says_true_or_cannot_be_read_opts_out(value: Any) -> None:
    assert record(event("x", opt_out_sensitive_data_storage=value))["opt_out_sensitive_data_storage"] is True


def test_a_flag_in_another_place_does_not_opt_out() -> None:
    assert record(event("call.note", data=FLAG))["opt_out_sensitive_data_storage"] is False


def test_opting_out_cannot_be_revoked() -> None:
    later = event("call.updated", at=STARTED + 9, opt_out_sensitive_data_storage=False)

    assert record(event("call.created", **FLAG), later)["opt_out_sensitive_data_storage"] is True


def test_a_version_that_lost_a_conflict_opts_out_too() -> None:
    lost = event("call.updated", id="1", agent_id="b", **FLAG)

    found = record(event("call.updated", id="1", agent_id="a"), lost)

    assert (found["agent_id"], found["opt_out_sensitive_data_storage"]) == ("a", True)


def test_a_call_may_be_known_to_have_opted_out_without_such_an_event() -> None:
    found = fold(decoded([event("transcript.turn")]), book(), opted_out=True).record

    assert (found["opt_out_sensitive_data_storage"], found["transcript_object"]) == (True, [])


@pytest.mark.parametrize("flag_first", [True, False])
def test_the_record_of_an_opted_out_call_has_no_private_content(flag_first: bool) -> None:
    flag = event("call.updated", at=STARTED - 1 if flag_first else STARTED + 99_000, **FLAG)

    found = record(flag, *CALL)

    assert (found["transcript"], found["transcript_object"], found["transcript_with_tool_calls"]) == ("", [], [])
    for field in ("call_analysis", "recording_url", "public_log_url", "from_number", "to_number"):
        assert found[field] is None
    assert [(entry["event"], entry["data"]) for entry in found["events"]] == [
        ("Call created", {}),
        ("Call started - INBOUND", {"direction": "INBOUND"}),
        ("Call transferred", {"mode": "warm", "transfer_id": "t-1"}),
        ("DTMF received", {}),
        ("Note", {}),
        ("sentiment.guessed", {}),
        ("Recording available", {"duration_ms": 5_000}),
        ("Call failed - error_sip", {"ended_by": "agent", "sip_code": 500}),
    ]


def test_everything_else_is_kept() -> None:
    found, without_flag = record(*CALL, event("call.updated", **FLAG)), record(*CALL)

    for field in (
        "agent_id",
        "metadata",
        "call_status",
        "disconnection_reason",
        "call_duration",
        "latency",
        "call_cost",
    ):
        assert found[field] == without_flag[field]


@pytest.mark.parametrize("body", CALL, ids=lambda body: str(body["type"]))
def test_a_redacted_event_gives_the_same_record(body: Json) -> None:
    others = decoded([event("call.updated", **FLAG), *(other for other in CALL if other != body)])
    (whole,) = decoded([body])

    found = fold([*others, redacted(whole)], book()).record

    assert found == fold([*others, whole], book()).record


def test_a_redacted_event_keeps_its_flag() -> None:
    (flag,) = decoded([event("transcript.turn", **FLAG)])

    assert redacted(flag).opts_out


def test_an_event_and_its_redacted_form_are_one_event() -> None:
    (turn,) = decoded([event("transcript.turn", **FLAG)])

    folded = fold([turn, redacted(turn)], book())

    assert (folded.events, folded.conflicts) == (1, 0)


def test_of_conflicting_versions_the_same_one_wins_whichever_is_redacted() -> None:
    low, high = decoded([event("call.updated", id="1", agent_id=agent, **FLAG) for agent in ("a", "b")])

    found = [
        fold(versions, book()).record["agent_id"]
        for versions in ([low, high], [low, redacted(high)], [redacted(high, 1), redacted(low, 2)])
    ]

    assert found == ["a", "a", "a"]


def test_an_event_without_any_data_after_redaction_still_counts() -> None:
    left = decode_logged(raw(event("call.ended") | {"data": {}}), redacted_at=1)
    assert not isinstance(left, InvalidEvent)

    found = fold([left], book(), opted_out=True).record

    assert (found["call_status"], found["events"][0]["event"]) == ("ENDED", "Call ended")


PRIVATE = "the flu"
NAMELESS = {name: value for name, value in event("call.note", at=STARTED).items() if name != "id"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b"\xef\xbb\xbf" + raw(NAMELESS | {"data": PRIVATE}),
        raw(NAMELESS | {"data": {"event": f"{PRIVATE} \ud83d", "n": 10**400}, "subject": 10**400}),
        raw(event("call.note") | {"id": {"of": PRIVATE}, "sequence": [PRIVATE]}),
        raw(event("call.note") | {"data": None, "data_base64": PRIVATE}),
        raw(event("call.note") | {"data": None, "data_base64": "e30=", "datacontenttype": "text/plain"}),
        raw(NAMELESS | {"data": [PRIVATE]}),
        PRIVATE.encode(),
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b"\xff",
    ],
)
def test_what_the_rules_find_invalid_stays_so_without_private_content(body: bytes) -> None:
    left = redact(body)

    assert isinstance(decode_logged(left, redacted_at=1), InvalidEvent)
    assert isinstance(orjson.loads(left), dict)
    assert PRIVATE not in left.decode()
    assert redact(left) == left


@pytest.mark.parametrize("value", [True, "true", "yes"])
@pytest.mark.parametrize("form", ["object", "text", "base64"])
def test_what_is_invalid_keeps_its_flag_and_the_time_of_a_wrong_clock(value: Any, form: str) -> None:
    data = {"opt_out_sensitive_data_storage": value, "event": PRIVATE}
    encoded = {"data": None, "data_base64": b64encode(json.dumps(data).encode()).decode()}
    carried: dict[str, Json] = {"object": {"data": data}, "text": {"data": json.dumps(data)}, "base64": encoded}

    left = redact(raw(NAMELESS | carried[form] | {"producertime": "2099"}))

    assert orjson.loads(left) == NAMELESS | {"producertime": "2099", "data": FLAG}
