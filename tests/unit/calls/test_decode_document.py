"""How often events of the log are validated in full: never those that a document vouches for; counted, not timed."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest

from shared.calls.decode_document import decode_document, decoded_in_parts
from shared.calls.fold_call import fold_documents
from shared.config.price_book import load
from shared.contract.decode_event import Event, InvalidEvent, decode_logged
from shared.contract.strict.vouching import ADAPTED, AS_SENT, CONTRACT_VERSION
from shared.store.ids import documents
from shared.store.models import LogDocument, SourcePartition
from tests.support.events.makers import STARTED, event, raw
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY, logged

USUAL = [
    event("call.started", id="1", direction="INBOUND"),
    event("transcript.turn", id="2", content="Hello", words=[{"word": "Hello", "start": STARTED, "end": STARTED + 9}]),
    event("transcript.turn", id="3", content="Hi", role="agent", confidence=None, language="", mood="happy"),
    event("latency.sampled", id="4"),
    event("call.ended", id="5"),
]
WITH_WRONG_FIELD = event("transcript.turn", id="6", content="Bye", confidence="high")
WITH_SPELLED_FLAG = event("transcript.turn", id="7", content="Bye", interrupted="true")
BOOK = load()


def document(*bodies: Any) -> LogDocument:
    raws = [body if isinstance(body, bytes) else raw(body) for body in bodies]
    return next(documents(CALL, SourcePartition("t", 0), logged(raws), LOG_ID_HMAC_KEY))


def validations(act: Callable[[], Any]) -> int:
    """Return how many events are validated in full meanwhile."""
    counted = 0

    def count(frame: FrameType, kind: str, _: object) -> None:
        nonlocal counted
        counted += kind == "call" and frame.f_code is decode_logged.__code__

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return counted


def in_full(found: LogDocument) -> Sequence[Event | InvalidEvent]:
    return [decode_logged(each, found.redacted_at) for each in found.events]


def test_a_fold_of_usual_events_validates_none_again() -> None:
    usual = document(*USUAL)
    assert set(usual.vouched) <= {AS_SENT, ADAPTED}

    assert validations(lambda: fold_documents([usual], BOOK)) == 0


@pytest.mark.parametrize("cared", [WITH_WRONG_FIELD, WITH_SPELLED_FLAG, raw(USUAL[0]) + b" " * 9 + b"\xff", b"NaN"])
def test_an_event_that_is_read_with_care_costs_its_neighbours_nothing(cared: Any) -> None:
    mixed = document(*USUAL, cared)

    assert validations(lambda: decode_document(mixed)) == 1
    assert [*map(repr, decode_document(mixed))][-1] == repr(in_full(mixed)[-1])


@pytest.mark.parametrize(
    "other",
    [
        {"contract": CONTRACT_VERSION + 1},
        {"contract": 0},
        {"redacted_at": STARTED},
    ],
)
def test_a_document_of_another_contract_or_a_redacted_one_is_validated_in_full(other: Any) -> None:
    mixed = replace(document(*USUAL, WITH_WRONG_FIELD), **other)

    assert validations(lambda: decode_document(mixed)) == len(mixed.events)
    assert decode_document(mixed) == in_full(mixed)


@pytest.mark.parametrize("edited", [b"{}", b"[]", b"no JSON", raw(USUAL[0] | {"time": "soon"})])
def test_an_event_that_is_not_what_its_document_says_is_read_in_full(edited: bytes) -> None:
    usual = document(*USUAL)
    wrong = replace(usual, events=(*usual.events[:-1], edited))

    assert decode_document(wrong) == in_full(wrong)
    assert isinstance(decode_document(wrong)[-1], InvalidEvent)


def test_in_parts_it_is_the_same() -> None:
    mixed = document(*USUAL, WITH_WRONG_FIELD)

    parts = list(decoded_in_parts(mixed, 4))

    assert [len(part) for part in parts] == [4, 2]
    assert [event for part in parts for event in part] == decode_document(mixed)
