"""Publishing without a broker: the topic of an event, and what is known when a run ends early."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from services.ops.errors import CommandError
from services.ops.events.lines import Line, opened
from services.ops.events.publishing import Publication
from services.ops.events.validate_lines import Checking, check, topic_of
from shared.contract.decode_event import Event, InvalidEvent
from shared.contract.payloads import TELEPHONY, TRANSCRIPTION
from shared.contract.rejection import Reason
from shared.contract.topics import MAX_EVENT_BYTES, Topics
from shared.kafka.producer import OutgoingRecord
from tests.support.events.makers import event, raw

Write = Callable[[Sequence[bytes]], str]

UNHEARD = Checking(lambda *_: None, lambda *_: None)


class Broker:
    """Acknowledges what it receives, then fails once with `failure`."""

    def __init__(self, failure: BaseException | None = None, *, too_large: bool = False) -> None:
        self.received: list[OutgoingRecord] = []
        self._failure = failure
        self._too_large = too_large

    async def deliver(self, records: Sequence[OutgoingRecord]) -> Sequence[OutgoingRecord]:
        if self.received and self._failure:
            raise self._failure
        self.received += records
        return records[-1:] if self._too_large else ()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes lines into a file and returns its path."""

    def written(lines: Sequence[bytes]) -> str:
        (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines))
        return str(tmp_path / "events.jsonl")

    return written


def checked(text: bytes) -> Event | InvalidEvent:
    return check(Line(1, text, len(text)))


@pytest.mark.parametrize("kind", [*TELEPHONY, *TRANSCRIPTION, "call.moved"])
def test_the_type_of_an_event_decides_on_its_topic(kind: str) -> None:
    read = checked(raw(event(kind)))

    assert isinstance(read, Event)
    assert topic_of(read, Topics("t")) == ("t.transcription" if kind in TRANSCRIPTION else "t.telephony")


def test_the_error_of_a_line_that_is_too_long_names_its_size() -> None:
    read = check(Line(1, b"x" * (MAX_EVENT_BYTES + 1), 5_000_000))

    assert isinstance(read, InvalidEvent)
    assert read.reason is Reason.TOO_LARGE
    assert "5000000 bytes" in read.detail


async def test_valid_lines_are_published_and_the_others_are_reported(write: Write) -> None:
    broker, good = Broker(), raw(event("call.dtmf"))
    refused = list[int]()
    checking = Checking(lambda line, _: refused.append(line.number), lambda *_: None)
    publication = Publication(broker.deliver, Topics("t"), checking)

    with opened(write([good, b"", b"{", good])) as source:
        await publication.publish(source, lambda _: None)

    assert [(each.topic, each.key, each.value) for each in broker.received] == [("t.telephony", b"call-456", good)] * 2
    assert refused == [3]
    assert (publication.tally.valid, publication.tally.refused, publication.next_line) == (2, 1, 5)
    assert publication.account().startswith("2 events were acknowledged; publish again from line 5 on")


@pytest.mark.parametrize("failure", [asyncio.CancelledError(), OSError()])
async def test_the_part_that_was_not_acknowledged_has_to_be_published_again(
    write: Write, failure: BaseException
) -> None:
    lines = [raw(event("call.note", event="x" * 10_000))] * 200
    broker = Broker(failure)
    publication = Publication(broker.deliver, Topics("t"), UNHEARD)

    with pytest.raises(type(failure)), opened(write(lines)) as source:
        await publication.publish(source, lambda _: None)

    acknowledged = len(broker.received)
    assert 0 < acknowledged < len(lines)
    assert (publication.tally.valid, publication.next_line) == (acknowledged, acknowledged + 1)


async def test_an_event_that_its_topic_rejects_as_too_large_ends_the_run(write: Write) -> None:
    publication = Publication(Broker(too_large=True).deliver, Topics("t"), UNHEARD)

    with (
        pytest.raises(CommandError, match=r"the topic t\.telephony rejects an event as too large"),
        opened(write([raw(event("call.dtmf"))])) as source,
    ):
        await publication.publish(source, lambda _: None)


async def test_what_is_doubtful_is_published_as_it_is_and_counted(write: Write) -> None:
    broker, doubtful = Broker(), raw(event("call.dtmf", digits=7) | {"time": "never", "data": {"digits": "7", "x": 1}})
    publication = Publication(broker.deliver, Topics("t"), UNHEARD)

    with opened(write([doubtful])) as source:
        await publication.publish(source, lambda _: None)

    assert [each.value for each in broker.received] == [doubtful]
    assert publication.tally.warnings == 2
