"""One example event of each type, all of one call."""

from dataclasses import dataclass
from typing import Any

_CALL_SID = "CA1234567890abcdef1234567890abcdef"
_TELEPHONY = "/twilio/AC1234567890abcdef1234567890abcdef"
_AGENT = "/agents/agent-123"


@dataclass(frozen=True, slots=True)
class Example:
    """A type in one sentence, and the fields of an event of it."""

    summary: str
    source: str
    time: str
    data: dict[str, Any]


_DETAILS = {
    "agent_id": "agent-123",
    "call_type": "PHONE_CALL",
    "direction": "INBOUND",
    "from_number": "+1234567890",
    "to_number": "+0987654321",
}

EXAMPLES: dict[str, Example] = {
    "call.scheduled": Example(
        "A call is planned.",
        _AGENT,
        "2023-12-20T09:00:00.000Z",
        {"agent_id": "agent-123", "start_timestamp": 1_703_097_600_000, "metadata": {"campaign": "summer-2024"}},
    ),
    "call.created": Example(
        "A call exists; nobody has answered yet.",
        _TELEPHONY,
        "2023-12-20T18:40:00.000Z",
        {
            **_DETAILS,
            "start_timestamp": 1_703_097_600_000,
            "metadata": {"customer_id": "cust-001", "priority": "high", "campaign": "summer-2024"},
            "telephony_identifier": {
                "call_sid": _CALL_SID,
                "conference_sid": "CF1234567890abcdef1234567890abcdef",
            },
            "public_log_url": "https://api.example.com/logs/call-456",
            "opt_out_sensitive_data_storage": False,
        },
    ),
    "call.ringing": Example(
        "It rings at a phone: at the called party's, or at one of several.",
        _TELEPHONY,
        "2023-12-20T18:40:10.000Z",
        {"to_number": "+0987654321", "leg_id": "leg-1"},
    ),
    "call.started": Example(
        "The call is answered; its duration counts from here.",
        _TELEPHONY,
        "2023-12-20T18:40:30.000Z",
        {"direction": "INBOUND", "from_number": "+1234567890", "to_number": "+0987654321"},
    ),
    "call.classified": Example(
        "It became known who, or what, answered.",
        _TELEPHONY,
        "2023-12-20T18:40:33.000Z",
        {"answered_by": "human", "leg_id": "leg-1"},
    ),
    "call.updated": Example(
        "Details of the call became known or changed.",
        _AGENT,
        "2023-12-20T18:41:00.000Z",
        {"metadata": {"priority": "urgent"}},
    ),
    "call.transferred": Example(
        "The call is being transferred, or was.",
        _TELEPHONY,
        "2023-12-20T18:43:00.000Z",
        {"destination": "+1555010200", "mode": "warm", "transfer_id": "transfer-1", "status": "bridged"},
    ),
    "call.dtmf": Example("Keys were pressed.", _TELEPHONY, "2023-12-20T18:41:10.250Z", {"digits": "42#"}),
    "call.note": Example(
        "Anything worth a line on the timeline.",
        _AGENT,
        "2023-12-20T18:42:00.000Z",
        {"event": "Supervisor joined", "data": {"supervisor_id": "agent-007"}},
    ),
    "call.ended": Example(
        "The call, or a leg of it, is over.",
        _TELEPHONY,
        "2023-12-20T18:45:30.000Z",
        {
            "disconnection_reason": "user_hangup",
            "ended_by": "user",
            "end_timestamp": 1_703_097_930_000,
            "duration_ms": 300_000,
            "sip_code": 200,
            "q850_cause": 16,
        },
    ),
    "call.failed": Example(
        "The call, or a leg of it, is over because of a failure.",
        _TELEPHONY,
        "2023-12-20T18:40:20.000Z",
        {"disconnection_reason": "dial_failed", "message": "No route to destination", "sip_code": 404, "q850_cause": 3},
    ),
    "recording.available": Example(
        "A recording is available.",
        _TELEPHONY,
        "2023-12-20T18:46:12.000Z",
        {
            "recording_url": "https://storage.azure.com/recordings/call-456.mp4",
            "recording_id": "RE1",
            "channel": "both",
            "duration_ms": 300_000,
            "expires_at": 1_735_689_600_000,
        },
    ),
    "cost.reported": Example(
        "A provider reports what it charges.",
        _TELEPHONY,
        "2023-12-20T18:46:00.000Z",
        {"product": "inbound_call", "cost": "0.10", "currency": "USD", "unit_price": "0.02", "line_id": "line-1"},
    ),
    "transcript.turn": Example(
        "Somebody spoke. Of the turns with one `turn_id`, the final one with the highest `revision` counts.",
        _AGENT,
        "2023-12-20T18:40:38.000Z",
        {
            "role": "assistant",
            "content": "Hello, thank you for calling. How can I help you today?",
            "turn_id": "turn-1",
            "revision": 0,
            "final": True,
            "timestamp": 1_703_097_635_000,
            "words": [{"word": "Hello", "start": 1_703_097_635_000, "end": 1_703_097_635_500}],
        },
    ),
    "transcript.retracted": Example(
        "A turn is withdrawn, up to this revision.",
        _AGENT,
        "2023-12-20T18:41:20.000Z",
        {"turn_id": "turn-2", "revision": 1},
    ),
    "tool.called": Example(
        "The agent called a tool.",
        _AGENT,
        "2023-12-20T18:42:05.000Z",
        {"tool_call_id": "tool-1", "name": "find_order", "arguments": {"customer_id": "cust-001"}},
    ),
    "tool.returned": Example(
        "A tool answered.",
        _AGENT,
        "2023-12-20T18:42:05.800Z",
        {"tool_call_id": "tool-1", "content": {"order": "A-17", "state": "shipped"}, "successful": True},
    ),
    "latency.sampled": Example(
        "The latency of one reply in one component.",
        _AGENT,
        "2023-12-20T18:40:38.000Z",
        {"component": "e2e", "value_ms": 120.1, "sample_id": "turn-1:e2e", "turn_id": "turn-1"},
    ),
    "usage.reported": Example(
        "Units of a product were used.",
        _AGENT,
        "2023-12-20T18:45:31.000Z",
        {"product": "llm_usage", "quantity": 50, "unit": "tokens", "usage_id": "llm"},
    ),
    "call.analyzed": Example(
        "What an analysis of the call found.",
        _AGENT,
        "2023-12-20T18:47:00.000Z",
        {"analysis": {"summary": "The customer asked for an order.", "sentiment": "positive", "resolved": True}},
    ),
}


def event(kind: str) -> dict[str, Any]:
    """Return the example of a type as a CloudEvent."""
    example = EXAMPLES[kind]
    number = list(EXAMPLES).index(kind) + 1
    return {
        "specversion": "1.0",
        "id": f"{_CALL_SID}:{number}",
        "source": example.source,
        "type": kind,
        "subject": "call-456",
        "time": example.time,
        "organizationid": "org-789",
        "sequence": str(number),
        "data": example.data,
    }
