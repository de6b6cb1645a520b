"""The words that providers use for the same thing."""

import tracemalloc
from typing import Any

import pytest

from shared.contract import words
from tests.support.events.makers import accepted, event, raw


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("inbound", "INBOUND"),
        (" Inbound ", "INBOUND"),
        ("incoming", "INBOUND"),
        ("in", "INBOUND"),
        ("terminating", "INBOUND"),
        ("OUT", "OUTBOUND"),
        ("outgoing", "OUTBOUND"),
        ("originating", "OUTBOUND"),
        ("outbound-api", "OUTBOUND"),
        ("outbound_dial", "OUTBOUND"),
        ("internal", "INTERNAL"),
        ("side-ways", "SIDE-WAYS"),
        ("-", "-"),
    ],
)
def test_a_direction(sent: str, read: str) -> None:
    assert words.direction(sent) == read
    assert accepted(raw(event("call.started", direction=sent))).data["direction"] == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("phone_call", "PHONE_CALL"),
        ("Phone Call", "PHONE_CALL"),
        ("pstn", "PHONE_CALL"),
        ("SIP", "PHONE_CALL"),
        ("inboundPhoneCall", "PHONE_CALL"),
        ("outbound-phone-call", "PHONE_CALL"),
        ("webCall", "WEB_CALL"),
        ("web", "WEB_CALL"),
        ("WebRTC", "WEB_CALL"),
        ("browser", "WEB_CALL"),
        ("fax", "FAX"),
    ],
)
def test_a_call_type(sent: str, read: str) -> None:
    assert words.call_type(sent) == read
    assert accepted(raw(event("call.created", call_type=sent))).data["call_type"] == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("assistant", "assistant"),
        ("Agent", "assistant"),
        ("bot", "assistant"),
        ("AI", "assistant"),
        ("user", "user"),
        ("customer", "user"),
        ("caller", "user"),
        ("HUMAN", "user"),
        ("System", "system"),
        ("Transfer_Target", "transfer_target"),
    ],
)
def test_a_role(sent: str, read: str) -> None:
    assert words.role(sent) == read
    assert accepted(raw(event("transcript.turn", role=sent))).data["role"] == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("requested", "requested"),
        ("Started", "requested"),
        ("RINGING", "ringing"),
        ("Bridged", "bridged"),
        ("canceled", "cancelled"),
        ("cancelled", "cancelled"),
        ("failed", "failed"),
        ("On Hold", "On Hold"),
    ],
)
def test_the_status_of_a_transfer(sent: str, read: str) -> None:
    assert words.status(sent) == read
    assert accepted(raw(event("call.transferred", status=sent))).data["status"] == read


@pytest.mark.parametrize(("kind", "field"), [("transcript.turn", "role"), ("call.started", "direction")])
def test_of_long_words_nothing_is_kept(kind: str, field: str) -> None:
    length, count = 200_000, 20
    fields: list[dict[str, Any]] = [{field: "aA" * (length // 2) + str(number)} for number in range(count)]
    long_words = [raw(event(kind, **each)) for each in fields]
    accepted(long_words.pop())

    tracemalloc.start()
    for value in long_words:
        accepted(value)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < count * length / 10
