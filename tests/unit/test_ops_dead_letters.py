"""What the list says of a dead letter, whatever its bytes are."""

from dataclasses import dataclass

import pytest

from services.ops.dead_letters import DeadLetter, letter_of
from tests.support.makers import STARTED, event, raw

SAID = (
    ("reason", b"missing"),
    ("detail", b"`data.digits` is missing"),
    ("topic", b"calls.telephony"),
    ("partition", b"7"),
    ("offset", b"1042"),
    ("time", b"2023-12-20T18:41:10.300Z"),
)


@dataclass(frozen=True)
class Record:
    """As the broker gives it."""

    key: bytes | None = b"call-456"
    value: bytes | None = b"{}"
    headers: tuple[tuple[str, bytes | None], ...] = SAID
    partition: int = 0
    offset: int = 17
    timestamp: int = STARTED


def test_it_says_why_it_is_one_and_where_it_came_from() -> None:
    letter = letter_of(Record(), alone=True)

    assert letter == DeadLetter(
        number="17",
        time="2023-12-20T18:41:10.300Z",
        reason="missing",
        detail="`data.digits` is missing",
        call="call-456",
        topic="calls.telephony",
        partition=7,
        offset=1042,
    )


def test_of_a_header_that_stands_twice_the_last_counts() -> None:
    letter = letter_of(Record(headers=(("reason", b"the original's own"), *SAID)), alone=True)

    assert letter.reason == "missing"


def test_where_the_topic_has_several_partitions_the_number_says_which() -> None:
    assert letter_of(Record(partition=2), alone=False).number == "2:17"


@pytest.mark.parametrize(
    ("key", "value", "call"),
    [
        (b"call-1", raw(event("call.dtmf", call="call-2")), "call-2"),
        (b"call-1", b"{", "call-1"),
        (None, raw(event("call.dtmf", call="call-2")), "call-2"),
        (b"", raw(event("call.dtmf", call="call-2")), "call-2"),
        (None, b'{"subject": 1}', None),
        (None, b"[]", None),
        (None, b"{", None),
        (None, None, None),
        (b"\xff\x1b", b"{}", "\ufffd\x1b"),
    ],
)
def test_the_call_is_the_subject_or_else_the_key(key: bytes | None, value: bytes | None, call: str | None) -> None:
    assert letter_of(Record(key=key, value=value), alone=True).call == call


def test_the_subject_of_binary_mode_is_in_a_header() -> None:
    record = Record(key=None, value=b"{", headers=(("ce_subject", b"call-3"), *SAID))

    assert letter_of(record, alone=True).call == "call-3"


def test_headers_that_nobody_expects_do_no_harm() -> None:
    hostile = (("reason", None), ("detail", b"\xff"), ("partition", "²".encode()), ("offset", b"9" * 5000))

    letter = letter_of(Record(headers=hostile), alone=True)

    assert (letter.reason, letter.detail, letter.partition, letter.offset) == (None, "\ufffd", None, None)
    assert letter.time == "2023-12-20T18:40:30.000Z"
