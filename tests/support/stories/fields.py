"""Words and fields as providers write them."""

from typing import Any

from tests.support.events.makers import Json
from tests.support.events.stories import Story, agent, carrier, ended, ending, moment, ongoing, turn


def five_minutes(name: str, product: str, cost: float, problems: Json, expected: Json, **data: Any) -> Story:
    price = {"web_call": 0.01}.get(product, 0.02)
    return Story(
        name,
        [carrier("call.started", 0, **data), ending(300, "completed")],
        ended("completed", end=300, seconds=300, cost=cost)
        | {"call_cost.product_costs": [{"product": product, "cost": cost, "unit_price": price}]}
        | expected,
        problems,
    )


DIRECTIONS = [
    five_minutes(
        "outbound-api is outbound",
        "outbound_call",
        0.1,
        {},
        {"direction": "OUTBOUND", "call_type": "PHONE_CALL"},
        direction="outbound-api",
        call_type="phone_call",
    ),
    five_minutes(
        "incoming is inbound",
        "inbound_call",
        0.1,
        {},
        {"direction": "INBOUND", "call_type": "PHONE_CALL"},
        direction="incoming",
        call_type="pstn",
    ),
    five_minutes(
        "webCall is a web call",
        "web_call",
        0.05,
        {},
        {"direction": None, "call_type": "WEB_CALL"},
        direction=None,
        call_type="webCall",
    ),
    five_minutes(
        "an unknown direction is billed as a phone call and reported",
        "phone_call",
        0.1,
        {"unknown_direction": 1},
        {"direction": "INTERNAL", "call_type": None},
        direction="internal",
        call_type=None,
    ),
    five_minutes(
        "a direction between spaces is read",
        "inbound_call",
        0.1,
        {},
        {"direction": "INBOUND"},
        direction=" inbound ",
    ),
]


def parties(name: str, caller: Any, called: Any, expected: tuple[str | None, str | None], problems: Json) -> Story:
    return Story(
        name,
        [carrier("call.started", 0, direction="inbound", from_number=caller, to_number=called)],
        ongoing(cost=0) | dict(zip(("from_number", "to_number"), expected, strict=True)),
        problems,
    )


ANONYMOUS = ("Anonymous", "sip:1001@pbx.example;transport=tls")
SPACED = ("+49 (30) 5550 100", "1001 ext. 7")
PARTIES = [
    parties("an anonymous caller and a SIP address are kept as they came", *ANONYMOUS, ANONYMOUS, {}),
    parties("numbers with spaces are kept as they came", *SPACED, SPACED, {}),
    parties("a number as an integer is its digits", 15550100021, "+266696687", ("15550100021", "+266696687"), {}),
    parties(
        "parties as objects and lists are left out, and the call exists",
        {"number": "+15550100022", "name": "Ms. Roe"},
        ["+15550100023", "+15550100024"],
        (None, None),
        {"field_unreadable": 2},
    ),
]

ODD_KEYS = {
    "kubernetes.io/source": "a",
    "$set": {"x": 1},
    "": "empty key",
    "__proto__": "p",
    "a": {"b.c": [1, {"$in": []}]},
    "big": 2**63 - 1,
    "float": 0.1,
    "e": 1e300,
}
FREE_FORM = [
    Story(
        "keys with dots and dollars are kept, a number beyond 64 bits is text, a key with a NUL is left out",
        [
            carrier("call.started", 0, direction="inbound", metadata=ODD_KEYS | {"null": None}),
            carrier("call.updated", 1, metadata={"account": 12345678901234567890}),
            carrier("call.updated", 2, metadata={"a\0b": 1, "kept": 2}),
        ],
        ongoing(cost=0) | {"metadata": ODD_KEYS | {"account": "12345678901234567890", "kept": 2}},
        {"number_as_text": 1, "key_left_out": 1},
    ),
    Story(
        "a NUL in what was said is kept",
        [carrier("call.started", 0, direction="inbound"), turn(4, "before \0 after")],
        ongoing(cost=0.001333) | {"transcript": "before \0 after"},
    ),
    Story(
        "two analyses are merged",
        [
            carrier("call.started", 0, direction="inbound"),
            ending(60, "completed"),
            agent("call.analyzed", 70, source="/summarizer", analysis={"call_summary": "Moved the appointment."}),
            agent("call.analyzed", 80, source="/sentiment", analysis={"user_sentiment": "Positive", "score": 8.7}),
        ],
        ended("completed", end=60, seconds=60, cost=0.02)
        | {
            "call_analysis": {
                "call_summary": "Moved the appointment.",
                "user_sentiment": "Positive",
                "score": 8.7,
            }
        },
    ),
    Story(
        "an unknown type of a provider is a line of the timeline",
        [
            carrier("com.example.status-callback.call.answered", 1, sid="CA01"),
            carrier("com.example.status-callback.call.completed", 62, sid="CA01"),
        ],
        {
            "call_status": "REGISTERED",
            "call_cost": None,
            "events": [
                {
                    "event": f"com.example.status-callback.call.{what}",
                    "timestamp": moment(seconds),
                    "session_time": 0,
                    "data": {"sid": "CA01"},
                }
                for what, seconds in (("answered", 1), ("completed", 62))
            ],
        },
    ),
    Story(
        "a call id of a SIP header",
        [carrier("call.started", 0, direction="inbound", call="f0Nl/ZjE=%2F@10.0.0.1 +é?x#y", leg_id="A")],
        ongoing(cost=0) | {"call_id": "f0Nl/ZjE=%2F@10.0.0.1 +é?x#y"},
        call="f0Nl/ZjE=%2F@10.0.0.1 +é?x#y",
    ),
]


def full_turn(body: Json, content: str, seconds: float, **other: Any) -> Json:
    """Return a turn of the details."""
    return {
        "source": "/agent",
        "id": body["id"],
        "turn_id": None,
        "revision": 0,
        "final": True,
        "role": "assistant",
        "content": content,
        "timestamp": moment(seconds),
        "end_timestamp": None,
        "words": [],
        "interrupted": None,
        "speaker": None,
        "channel": None,
        "language": None,
        "confidence": None,
        "leg_id": None,
        "metadata": None,
    } | other


SHOWN: Json = {"language": "en", "confidence": 0.93, "metadata": {"node": "greet"}}
RECEPTION = turn(3, "Reception.", role="agent", agent_id="receptionist", **SHOWN)
BILLING = turn(22, "Billing.", role="agent", agent_id="billing", interrupted=True)
DETAILS = [
    Story(
        "two agents, one after the other",
        [
            carrier("call.started", 0, direction="inbound", agent_id="receptionist"),
            RECEPTION,
            carrier("call.updated", 20, agent_id="billing"),
            BILLING,
        ],
        ongoing(cost=0.007333) | {"agent_id": "billing", "transcript": "Reception.\nBilling."},
        details={
            "turns": [
                full_turn(RECEPTION, "Reception.", 3, **SHOWN),
                full_turn(BILLING, "Billing.", 22, interrupted=True),
            ]
        },
    ),
    Story(
        "when a recording's URL expires can be read",
        [
            carrier("call.started", 0, direction="inbound"),
            carrier(
                "recording.available",
                5,
                recording_url="https://recordings.example/x",
                expires_at=moment(7 * 86_400),
                duration_ms=5_000,
            ),
        ],
        ongoing(cost=0),
        details={
            "recordings": [
                {
                    "recording_id": None,
                    "recording_url": "https://recordings.example/x",
                    "channel": None,
                    "leg_id": None,
                    "available_at": moment(5),
                    "duration_ms": 5_000,
                    "expires_at": moment(7 * 86_400),
                }
            ]
        },
    ),
]

STORIES = (*DIRECTIONS, *PARTIES, *FREE_FORM, *DETAILS)
