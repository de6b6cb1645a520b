"""What the list shows of a dead letter, whatever its bytes are."""

import pytest

from shared.contract.dead_letter_headers import REPLAYED_FROM, REPLAYS
from shared.dead_letters.dead_letter import DeadLetter, dead_letter_of
from tests.support.events.dead_letters import SAID, Record
from tests.support.events.makers import event, raw


def test_it_names_its_reason_and_its_input_record() -> None:
    record = Record()

    letter = dead_letter_of(record, only_partition=True)

    assert letter == DeadLetter(
        record=record,
        number="17",
        time="2023-12-20T18:40:30.000Z",
        reason="missing",
        detail="`data.digits` is missing",
        organization=None,
        call="call-456",
        source=None,
        topic="calls.telephony",
        partition=7,
        offset=1042,
        last_offset=None,
        replays=0,
        replayed_from=None,
    )


def test_the_last_of_several_headers_of_one_name_counts() -> None:
    letter = dead_letter_of(Record(headers=(("reason", b"the original's own"), *SAID)), only_partition=True)

    assert letter.reason == "missing"


def test_with_several_partitions_the_number_names_the_partition() -> None:
    assert dead_letter_of(Record(partition=2), only_partition=False).number == "2:17"


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
def test_the_call_is_the_subject_or_the_key(key: bytes | None, value: bytes | None, call: str | None) -> None:
    assert dead_letter_of(Record(key=key, value=value), only_partition=True).call == call


def test_in_binary_mode_the_subject_is_a_header() -> None:
    record = Record(key=None, value=b"{", headers=(("ce_subject", b"call-3"), *SAID))

    assert dead_letter_of(record, only_partition=True).call == "call-3"


@pytest.mark.parametrize(
    ("value", "headers", "source"),
    [
        (raw(event("call.dtmf", source="/twilio")), (), "/twilio"),
        (b"{", (("ce_source", b"/pbx"),), "/pbx"),
        (b'{"source": 1}', (), None),
        (b"{", (), None),
    ],
)
def test_the_source_is_that_of_the_event(
    value: bytes, headers: tuple[tuple[str, bytes], ...], source: str | None
) -> None:
    assert dead_letter_of(Record(value=value, headers=headers), only_partition=True).source == source


def test_it_counts_its_replays_and_names_the_last_one() -> None:
    marks = ((REPLAYS, b"2"), (REPLAYED_FROM, b"0:9"))

    letter = dead_letter_of(Record(headers=(*marks, *SAID)), only_partition=True)

    assert (letter.replays, letter.replayed_from) == (2, "0:9")


def test_unexpected_headers_do_no_harm() -> None:
    hostile: tuple[tuple[str, bytes | None], ...] = (
        ("reason", None),
        ("detail", b"\xff"),
        ("partition", "²".encode()),
        ("offset", b"9" * 5000),
    )
    marks = ((REPLAYS, b"9" * 5000), (REPLAYED_FROM, b"../../etc"))

    letter = dead_letter_of(Record(headers=(*hostile, *marks)), only_partition=True)

    assert (letter.reason, letter.detail, letter.partition, letter.offset) == (None, "\ufffd", None, None)
    assert (letter.replays, letter.replayed_from) == (0, None)


def test_a_value_that_is_longer_than_the_caller_parses_names_nothing() -> None:
    body = raw(event("call.dtmf", call="call-2", organization="org-2"))
    record = Record(key=b"call-1", value=body)

    read, passed = (dead_letter_of(record, only_partition=True, most_parsed=len(body) - less) for less in (0, 1))

    assert (read.organization, read.call) == ("org-2", "call-2")
    assert (passed.organization, passed.call, passed.source) == (None, "call-1", None)
