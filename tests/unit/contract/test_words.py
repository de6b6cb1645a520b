"""The words that providers use for the same thing."""

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
