"""The flag that opts out: on an event of any type, and on one that is refused."""

import hashlib
from typing import Any

import orjson
import pytest

from shared.contract.decode_event import Event, InvalidEvent, decode, decode_logged
from shared.contract.payloads import OPT_OUT
from shared.contract.timestamps import LATEST_MS
from tests.support.events.makers import STARTED, Json, accepted, binary, event, raw, rfc3339

OPTED_OUT: Json = {OPT_OUT: True}
NOT: Json = {OPT_OUT: False}
TYPES = ["call.updated", "transcript.turn", "call.ended", "x"]


def refused(body: Json, arrival: int = LATEST_MS) -> Event | None:
    read = decode(raw(body), arrival=arrival)
    assert isinstance(read, InvalidEvent)
    return read.opt_out


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("flag", [True, "true", "TRUE"])
def test_an_event_of_any_type_opts_out(kind: str, flag: Any) -> None:
    read = accepted(raw(event(kind, **{OPT_OUT: flag})))

    assert (read.opts_out, read.problems) == (True, ())


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("flag", [False, "false", None, ""])
def test_an_event_that_says_no_does_not(kind: str, flag: Any) -> None:
    read = accepted(raw(event(kind, **{OPT_OUT: flag})))

    assert (read.opts_out, read.problems) == (False, ())


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("flag", ["yes", 1, 0, [], {}, "1"])
def test_a_flag_that_cannot_be_read_opts_out_and_is_a_problem(kind: str, flag: Any) -> None:
    read = accepted(raw(event(kind, **{OPT_OUT: flag})))

    assert read.opts_out
    assert [(problem.kind, problem.field) for problem in read.problems] == [("field_unreadable", OPT_OUT)]


@pytest.mark.parametrize("data", [[True], "true", {"data": {OPT_OUT: True}}, [{OPT_OUT: True}]])
def test_only_the_top_level_of_data_counts(data: Any) -> None:
    assert not accepted(raw(event("x") | {"data": data})).opts_out


def test_a_field_that_is_wrong_does_not_hide_the_flag() -> None:
    read = accepted(raw(event("call.updated", from_number=[], **OPTED_OUT)))

    assert (read.opts_out, read.data) == (True, {OPT_OUT: True})


def test_a_refused_event_that_opts_out_leaves_an_event_that_does() -> None:
    body = event("call.ended", id="é", source="/a", sequence=3, at=STARTED, disconnection_reason=None, **OPTED_OUT)

    made = refused(body)

    assert made is not None
    assert orjson.loads(made.raw) == {
        "specversion": "1.0",
        "id": hashlib.sha256("/a\0é".encode()).hexdigest(),
        "source": "/callfold/opt-out",
        "type": "call.updated",
        "subject": "call-456",
        "time": rfc3339(STARTED),
        "organizationid": "org-789",
        "data": {OPT_OUT: True},
    }
    assert (made.opts_out, made.problems) == (True, ())
    assert decode_logged(made.raw) == made


def test_in_binary_mode_too() -> None:
    value, headers = binary(event("call.ended", disconnection_reason=None, **OPTED_OUT))

    read = decode(value, headers, arrival=LATEST_MS)

    assert isinstance(read, InvalidEvent)
    assert read.opt_out is not None


@pytest.mark.parametrize("flag", ["true", "yes", 1])
def test_so_it_is_with_every_flag_that_opts_out(flag: Any) -> None:
    assert refused(event("call.ended", disconnection_reason=None, **{OPT_OUT: flag})) is not None


@pytest.mark.parametrize(
    "body",
    [
        event("call.ended", disconnection_reason=None),
        event("call.ended", disconnection_reason=None, **NOT),
        event("call.ended", **OPTED_OUT) | {"subject": None},
        event("call.ended", **OPTED_OUT) | {"specversion": "0.3"},
    ],
)
def test_a_refused_event_that_does_not_opt_out_or_has_no_call_leaves_none(body: Json) -> None:
    assert refused(body) is None


@pytest.mark.parametrize("time", ["2099-01-01T00:00:00Z", "late", None])
def test_the_event_left_has_the_time_and_the_clock_of_the_refused_one(time: str | None) -> None:
    made = refused(event("call.ended", disconnection_reason=None, **OPTED_OUT) | {"time": time}, STARTED)

    assert made is not None
    assert (made.time, orjson.loads(made.raw)["producertime"]) == (STARTED, time or "")
    assert [problem.field for problem in made.problems] == [None]
