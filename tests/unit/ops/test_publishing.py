"""Publishing without a broker: which topic, and what is known of the lines when it ends early."""

import asyncio

import pytest

from services.ops.events.lines import Line
from services.ops.events.publishing import Flight
from services.ops.events.validation import check, topic_of
from shared.contract.envelope import Event, InvalidEvent
from shared.contract.payloads import TELEPHONY, TRANSCRIPTION
from shared.contract.rejection import Reason
from shared.contract.topics import MAX_EVENT_BYTES, Topics
from tests.support.events.makers import event, raw


def checked(text: bytes) -> Event | InvalidEvent:
    return check(Line(1, text, len(text)))


def sent(outcome: object) -> "asyncio.Future[object]":
    future = asyncio.get_running_loop().create_future()
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    elif outcome is not None:
        future.set_result(outcome)
    return future


@pytest.mark.parametrize("kind", [*TELEPHONY, *TRANSCRIPTION, "call.moved"])
def test_the_type_decides_on_the_topic(kind: str) -> None:
    read = checked(raw(event(kind)))

    assert isinstance(read, Event)
    assert topic_of(read, Topics("t")) == ("t.transcription" if kind in TRANSCRIPTION else "t.telephony")


def test_a_line_that_is_too_long_says_how_long_it_is() -> None:
    read = check(Line(1, b"x" * (MAX_EVENT_BYTES + 1), 5_000_000))

    expected = "the value has 5000000 bytes, the limit is 1048576"
    assert read == InvalidEvent(Reason.TOO_LARGE, expected)


async def test_acknowledged_lines_are_counted_and_forgotten() -> None:
    flight = Flight()
    for number in (1, 2, 5):
        flight.add(number, sent("acknowledged"))

    await flight.wait(0)

    assert (flight.acknowledged, len(flight.waiting)) == (3, 0)


async def test_what_is_not_known_begins_with_the_first_line_without_an_answer() -> None:
    flight = Flight()
    for number, outcome in ((1, "acknowledged"), (2, None), (4, "acknowledged"), (5, OSError())):
        flight.add(number, sent(outcome))

    account = flight.account()

    assert account.startswith("2 events were acknowledged; from line 2 on that is not known")


async def test_where_all_were_acknowledged_it_begins_with_the_next_line() -> None:
    flight = Flight()
    flight.add(7, sent("acknowledged"))

    assert flight.account().startswith("1 events were acknowledged; from line 8 on")


async def test_what_the_broker_refused_is_raised() -> None:
    flight = Flight()
    flight.add(1, sent(OSError("refused")))

    with pytest.raises(OSError, match="refused"):
        await flight.wait(0)
