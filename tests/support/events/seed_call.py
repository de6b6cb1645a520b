"""The example response of the API, and a call that folds into it."""

import json
from pathlib import Path
from typing import Any

from tests.support.events.makers import CREATED, HELLO, STARTED, Json, event

_RESPONSE = Path(__file__).with_name("get-call-by-id.response.json")
_WORDS = [{"word": "Hello", "start": STARTED + 5_000, "end": STARTED + 5_500}]

# The response shows 5 of 15 samples and 5 of 8; the others here lie between them. No samples with these extremes have
# its p95 and p99, but these have its medians and the p90 of `e2e`.
E2E = [120.1, 180.3, 200.7, 210.2, 220.9, 230.4, 240.6, 250.5, 262.8, 290.3, 310.1, 350.9, 380.8, 380.8, 450.2]
LLM = [80.2, 90.1, 101.4, 125.3, 125.3, 140.9, 160.1, 180.5]


def seed_response() -> dict[str, Any]:
    response: dict[str, Any] = json.loads(_RESPONSE.read_text())
    return response


def seed_call() -> list[Json]:
    """Return the events of the example's call, five minutes after it was answered.

    They fold into its record, except for its `id` and for percentiles that no samples can have.
    """
    details = {"from_number": "+1234567890", "to_number": "+0987654321", "direction": "inbound"}
    numbers = {
        "call_sid": "CA1234567890abcdef1234567890abcdef",
        "conference_sid": "CF1234567890abcdef1234567890abcdef",
    }
    return [
        event("call.created", at=CREATED, agent_id="agent-123", call_type="phone_call", start_timestamp=CREATED),
        event("call.started", at=STARTED, **details, telephony_identifier=numbers, start_timestamp=STARTED),
        event(
            "call.updated",
            at=STARTED + 1_000,
            start_timestamp=CREATED,
            public_log_url="https://api.example.com/logs/call-456",
            recording_url="https://storage.azure.com/recordings/call-456.mp4",
            metadata={"customer_id": "cust-001", "priority": "high", "campaign": "summer-2024"},
        ),
        event("transcript.turn", at=STARTED + 6_000, source="/engine", content=HELLO, words=_WORDS),
        *(_sample("e2e", number, value) for number, value in enumerate(E2E)),
        *(_sample("llm", number, value) for number, value in enumerate(LLM)),
        event("usage.reported", at=STARTED + 300_000, source="/agent", product="llm_usage", quantity=50),
        # Somebody is speaking, which shows when it is final.
        event("transcript.turn", at=STARTED + 300_000, source="/engine", content="And", final=False),
    ]


def _sample(component: str, number: int, value: float) -> Json:
    at = STARTED + 20_000 * (number + 1)  # the last of `e2e` is the call's latest activity
    return event("latency.sampled", at=at, source="/agent", component=component, value_ms=value)
