"""The clock of an event: its own, or the arrival of its record (docs/record.md, Clocks)."""

from typing import Any, cast

import orjson
import pytest

from shared.contract.decode_event import Event, canonical, decode, decode_logged, producer_time
from shared.contract.timestamps import EARLIEST_MS, LATEST_MS
from tests.support.events.makers import STARTED, Json, accepted, event, raw, rejected, rfc3339

HOUR = 3_600_000


def kinds(read: Event) -> list[tuple[str, str | None]]:
    return [(problem.kind, problem.field) for problem in read.problems]


@pytest.mark.parametrize("ahead", [-(10**10), 0, 1, HOUR])
def test_an_event_up_to_an_hour_ahead_has_its_own_time(ahead: int) -> None:
    read = accepted(raw(event("call.created", at=STARTED + ahead)), arrival=STARTED)

    assert (read.time, read.problems) == (STARTED + ahead, ())


def test_an_event_further_ahead_is_taken_at_its_arrival_and_keeps_its_own_time_aside() -> None:
    body = event("call.created", at=STARTED + HOUR + 1)

    read = accepted(raw(body), arrival=STARTED)

    assert (read.time, read.ordering_key.time, kinds(read)) == (STARTED, STARTED, [("time_ahead", None)])
    assert orjson.loads(read.raw) == body | {"time": rfc3339(STARTED), "producertime": body["time"]}
    assert producer_time(read.raw) == body["time"]


UNREADABLE = [
    "2023-12-20T18:40:30",
    "2023-12-20T18:40Z",
    "2023-12-20T18:40:30.Z",
    "2023-12-20T18:40:30,5Z",
    "2023-12-20T18:40:30+0100",
    "2023-12-20T18:40:30Z\n",
    "²023-12-20T18:40:30Z",
    "20٢3-12-20T18:40:30Z",
    "1703097600000",
    "",
    "2023-02-29T18:40:30Z",
    "0000-01-01T00:00:00Z",
    "2023-12-20T24:00:00Z",
    "2023-12-20T18:40:30+24:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1999-12-31T23:59:59.999Z",
    "2000-01-01T00:00:00+00:01",
    "2101-01-01T00:00:00Z",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_an_event_without_a_readable_time_is_taken_at_its_arrival(text: str) -> None:
    read = accepted(raw(event("call.created") | {"time": text}), arrival=STARTED + 7)

    assert (read.time, kinds(read)) == (STARTED + 7, [("time_unreadable", None)])
    assert producer_time(read.raw) == text


@pytest.mark.parametrize(
    ("time", "kept"), [(None, ""), ([], ""), (True, ""), (1703097600000, "1703097600000"), (10**30, f"1{'0' * 30}")]
)
def test_so_is_one_whose_time_is_no_text(time: Any, kept: str) -> None:
    read = accepted(raw(event("call.created") | {"time": time}), arrival=STARTED)

    assert (read.time, kinds(read), producer_time(read.raw)) == (STARTED, [("time_unreadable", None)], kept)


def test_so_is_one_without_a_time() -> None:
    body = event("call.created")
    del body["time"]

    read = accepted(raw(body), arrival=STARTED)

    assert (read.time, kinds(read), producer_time(read.raw)) == (STARTED, [("time_unreadable", None)], "")


@pytest.mark.parametrize(("arrival", "time"), [(-1, EARLIEST_MS), (0, EARLIEST_MS), (10**15, LATEST_MS - 1)])
def test_an_arrival_outside_the_years_is_the_nearest_time_within(arrival: int, time: int) -> None:
    assert accepted(raw(event("call.created") | {"time": ""}), arrival=arrival).time == time


def test_a_producertime_that_a_producer_sends_is_removed() -> None:
    body = event("call.created")

    read = accepted(raw(body | {"producertime": "2023-12-20T18:40:30Z"}))

    assert (orjson.loads(read.raw), read.problems, producer_time(read.raw)) == (body, (), None)


def test_it_is_removed_too_where_the_clock_is_wrong() -> None:
    body = event("call.created") | {"time": "late", "producertime": "2023-12-20T18:40:30Z"}

    assert producer_time(accepted(raw(body), arrival=STARTED).raw) == "late"


def test_all_else_stays_as_it_came_when_the_time_is_rewritten() -> None:
    text = (
        b'\xef\xbb\xbf {"time" : 1, "\\u0069d":"1","a":"\\ud800","n":123456789012345678901,"time":"x", '
        b'"source":"/s","type":"x","subject":"c","organizationid":"o","specversion":1.0,"data":[1.50,{"\\u0000":1}]}'
    )

    read = accepted(text, arrival=STARTED)

    assert read.raw == (
        b'{"\\u0069d":"1","a":"\\ud800","n":123456789012345678901,'
        b'"source":"/s","type":"x","subject":"c","organizationid":"o","specversion":1.0,"data":[1.50,{"\\u0000":1}],'
        b'"time":"2023-12-20T18:40:30.000Z","producertime":"x"}'
    )
    assert kinds(read) == [("time_unreadable", None), ("surrogate_replaced", None), ("key_left_out", None)]


@pytest.mark.parametrize("time", ["2099-12-31T23:00:00Z", "yesterday", None])
def test_the_log_gives_the_same_event_with_the_same_problems(time: str | None) -> None:
    read = accepted(raw(event("call.created") | {"time": time}), arrival=STARTED)

    assert decode_logged(read.raw) == read


def test_a_refused_event_is_refused_whatever_its_clock() -> None:
    assert rejected(raw(event("call.dtmf", digits=None) | {"time": ""}))[1] == "`data.digits` is missing"


def test_bodies_that_differ_by_their_arrival_have_different_canonical_forms() -> None:
    body = raw(event("call.created") | {"time": ""})

    one, other = (decode(body, arrival=STARTED + late) for late in (0, 1))

    assert isinstance(one, Event)
    assert isinstance(other, Event)
    assert canonical(one.raw) < canonical(other.raw)


# Times inside data


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("call.created", "start_timestamp"),
        ("call.ringing", "start_timestamp"),
        ("call.started", "start_timestamp"),
        ("call.updated", "start_timestamp"),
        ("call.ended", "end_timestamp"),
        ("call.failed", "end_timestamp"),
        ("transcript.turn", "timestamp"),
        ("transcript.turn", "end_timestamp"),
        ("tool.called", "timestamp"),
        ("tool.returned", "timestamp"),
    ],
)
def test_a_time_inside_data_may_lie_an_hour_ahead_and_no_more(kind: str, field: str) -> None:
    def read(stated: int) -> Event:
        return accepted(raw(event(kind, at=STARTED, **{field: cast("Any", stated)})))

    assert read(STARTED + HOUR).data[field] == STARTED + HOUR
    assert field not in read(STARTED + HOUR + 1).data
    assert kinds(read(STARTED + HOUR + 1)) == [("time_ahead", field)]


@pytest.mark.parametrize(
    ("kind", "field"), [("call.scheduled", "start_timestamp"), ("recording.available", "expires_at")]
)
def test_a_plan_and_an_expiry_lie_ahead(kind: str, field: str) -> None:
    read = accepted(raw(event(kind, at=STARTED, **{field: cast("Any", STARTED + 10**10)})))

    assert (read.data[field], read.problems) == (STARTED + 10**10, ())


@pytest.mark.parametrize("kind", ["call.created", "call.ringing", "call.started", "call.updated"])
def test_a_start_may_lie_30_days_back_and_no_more(kind: str) -> None:
    def read(days: int, more: int = 0) -> Event:
        return accepted(raw(event(kind, at=STARTED, start_timestamp=STARTED - 24 * HOUR * days - more)))

    assert "start_timestamp" in read(30).data
    assert "start_timestamp" not in read(30, 1).data
    assert kinds(read(30, 1)) == [("field_unreadable", "start_timestamp")]


def test_the_planned_start_may_lie_further_back() -> None:
    assert accepted(raw(event("call.scheduled", at=STARTED, start_timestamp=EARLIEST_MS))).problems == ()


@pytest.mark.parametrize("words", [{"start": STARTED, "end": STARTED + HOUR + 1}, {"start": STARTED + HOUR + 1}])
def test_the_times_of_words_may_not_lie_ahead_either(words: Json) -> None:
    read = accepted(raw(event("transcript.turn", at=STARTED, words=[{"word": "a"}, {"word": "b", **words}])))

    assert kinds(read) == [("time_ahead", "words")]
    assert STARTED + HOUR + 1 not in read.data["words"][1].values()


def test_times_inside_data_are_compared_with_the_time_in_the_log() -> None:
    body = event("transcript.turn", at=STARTED + 10**10, timestamp=STARTED + 10**10)

    read = accepted(raw(body), arrival=STARTED)

    assert kinds(read) == [("time_ahead", None), ("time_ahead", "timestamp")]
    assert "timestamp" not in read.data
