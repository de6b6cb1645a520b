"""Hypothesis strategies for the `data` of each type; see `strategies.py`.

Required fields are right, some in another spelling; optional ones are right, null, empty or left out, and `damaged`
makes one or two of them wrong.
"""

from typing import Any

from hypothesis import strategies as st

from tests.support.events.makers import STARTED, Json

SECRET = "s3cret"  # noqa: S105 - what a test looks for

Value = st.SearchStrategy[Any]

_DAY = 86_400_000
_OPT_OUT = "opt_out_sensitive_data_storage"


def one_of(*values: Any) -> Value:
    return st.sampled_from(values)


def _data(required: dict[str, Value], **optional: Value) -> Value:
    """Draw objects with the required fields, each optional one with a value, null or absent."""
    return st.fixed_dictionaries(required, optional={name: st.none() | value for name, value in optional.items()})


# Times whose distances lie at the limits of the rules: 5 s, 30 s and 60 s.
_NARROW = st.integers(STARTED, STARTED + 3)
_SECONDS = (1_000, 4_999, 5_001, 10_000, 30_001, 40_001, 60_001, 61_001, 66_002, 126_004)
_WIDE = one_of(*(STARTED + after for after in _SECONDS), STARTED - 31 * _DAY)
TIME = _NARROW | _NARROW | _WIDE
_LATE = one_of(STARTED + 3_600_002, STARTED + 3_700_000, STARTED + 40 * _DAY)
_STAMP = TIME | TIME | TIME.map(lambda time: time + 0.5) | TIME.map(str) | _LATE
_MILLISECONDS = one_of(0, 1, 999, 1000, "1000", 4_999, 5_001, 10_000, 59_999.5, 66_002, 300_000)

_ID = one_of("1", "2", 1)  # like the ids of events: a thing with an id must not be confused with one without
_LEG = one_of("A", "B", "A", "B", "")
_TEXT = one_of("", "a", "b", "z", "é", "$27", "\u0000", "😀", "￿", "a\ud83d", 27)
_CONTENT = one_of("", SECRET, f"é {SECRET}", f"z {SECRET}", f"\n{SECRET}\u0000", f"{SECRET}\ude00")
_PRIVATE_TEXT = one_of("", f"+1 {SECRET}", f"é {SECRET}")
_BOOLEAN = one_of(True, False, True, False, "True", "false", "")
_REVISION = one_of(0, 1, 2, "1", 2.0)
_JSON = st.recursive(
    one_of(None, True, 0, 1, 1.0, -0.5, 1e22, 2**63, -(2**63), SECRET, f"é{SECRET}", f"{SECRET}\ud83d"),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(one_of("b", "a", "é", SECRET, f"{SECRET}\u0000", f"{SECRET}\ud83d"), inner, max_size=2)
    ),
    max_leaves=3,
)
_PRIVATE_OBJECT = st.dictionaries(one_of("b", "a", f"é{SECRET}"), _JSON, max_size=2)
_PRODUCT = one_of("llm_usage", "stt_usage", "inbound_call", "phone_call", "web_call", "carrier", "é")
_AMOUNT = one_of(0, 1, 0.1, "0.1", "0.0000005", "0.000001500000", 1e-7, "123456789.123456789012", 0.0026999999999999997)
_SIGNED = _AMOUNT | one_of("-0.0000005", -1, "-0.10")
_METADATA = st.dictionaries(
    one_of("1", "2", "1", "2", "\u0000"),
    one_of(None, "", "x", "é", 0, False, [], {}, 1.5, 2**64, "x\ud83d"),
    max_size=2,
)
_CONFERENCE = _data({}, call_sid=_TEXT, conference_sid=_TEXT | one_of([]))
_DETAILS: dict[str, Value] = {
    "agent_id": _TEXT,
    "call_type": one_of("", "web_call", "PHONE_CALL", "inboundPhoneCall", "é", "sip"),
    "direction": one_of("", "inbound", "OUTBOUND", "Outbound API", "sideways", "in-"),
    "from_number": _PRIVATE_TEXT,
    "to_number": _PRIVATE_TEXT,
    "start_timestamp": _STAMP,
    "metadata": _METADATA,
    "telephony_identifier": _CONFERENCE,
    "public_log_url": _PRIVATE_TEXT,
    "recording_url": _PRIVATE_TEXT,
    "leg_id": _LEG,
}
_ANSWERED_BY = one_of("", "human", "machine", "é")
_REASON = one_of(
    "unknown", "Completed", "NORMAL_CLEARING", "normal hangup", "hang-up", "inactivity", "user_hangup", "é"
)
_END: dict[str, Value] = {
    "ended_by": _TEXT,
    "end_timestamp": _STAMP,
    "duration_ms": _MILLISECONDS,
    "sip_code": one_of(200, 486, 486.0, "486"),
    "q850_cause": one_of(0, 16),
    "inferred": _BOOLEAN,
    "leg_id": _LEG,
}
_NO_WORD_TIME = one_of("", 0.32, 1, STARTED // 1000, "soon")
_WORD_TIME = st.none() | _STAMP | _NO_WORD_TIME | _NO_WORD_TIME
_WORD = st.fixed_dictionaries({"word": one_of(SECRET, SECRET, "", None)}, optional={"start": _WORD_TIME, "end": _STAMP})
_TOOL: dict[str, Value] = {"tool_call_id": _ID | one_of(""), "timestamp": _STAMP, "revision": _REVISION}

REQUIRED: dict[str, dict[str, Value]] = {
    "call.classified": {"answered_by": one_of("human", "machine", "é")},
    "call.dtmf": {"digits": one_of(f"1{SECRET}")},
    "call.note": {"event": one_of(f"é{SECRET}", f"z{SECRET}")},
    "call.ended": {"disconnection_reason": _REASON},
    "call.failed": {"disconnection_reason": _REASON},
    "recording.available": {"recording_url": one_of(SECRET, f"é{SECRET}")},
    "transcript.turn": {
        "role": one_of("agent", "Assistant", "user", "caller", "É"),
        "content": one_of(None) | _CONTENT,
    },
    "transcript.retracted": {"turn_id": _ID, "revision": _REVISION},
    "tool.called": {"name": one_of(SECRET)},
    "tool.returned": {"content": _JSON},
    "latency.sampled": {
        "component": one_of("e2e", "tts", "x_1", "X.1", "E2E"),
        "value_ms": one_of(0, 1, 1.0, 0.1, 120.123456789, 3_600_000, "1", "0.1"),
    },
    "usage.reported": {"product": _PRODUCT, "quantity": _AMOUNT},
    "cost.reported": {"product": _PRODUCT, "cost": _AMOUNT},
    "call.analyzed": {"analysis": _PRIVATE_OBJECT},
}
OPTIONAL: dict[str, dict[str, Value]] = {
    "call.scheduled": _DETAILS,
    "call.created": _DETAILS,
    "call.ringing": _DETAILS,
    "call.started": {**_DETAILS, "answered_by": _ANSWERED_BY},
    "call.updated": {**_DETAILS, "answered_by": _ANSWERED_BY, "unknown": one_of(SECRET)},
    "call.classified": {"detail": _PRIVATE_TEXT, "leg_id": _LEG},
    "call.transferred": {
        "destination": _PRIVATE_TEXT,
        "mode": _TEXT,
        "transfer_id": _ID,
        "status": one_of("", "requested", "started", "Bridged", "canceled", "FAILED", "ringing", "Éone"),
        "leg_id": _LEG,
    },
    "call.dtmf": {"sensitive": _BOOLEAN, "leg_id": _LEG},
    "call.note": {"data": _PRIVATE_OBJECT, "leg_id": _LEG},
    "call.ended": {**_END, "unknown": one_of(SECRET)},
    "call.failed": {**_END, "message": _PRIVATE_TEXT},
    "recording.available": {
        "recording_id": _ID,
        "channel": _TEXT,
        "duration_ms": _MILLISECONDS,
        "expires_at": _STAMP,
        "leg_id": _LEG,
    },
    "transcript.turn": {
        "turn_id": _ID,
        "revision": _REVISION,
        "final": _BOOLEAN,
        "timestamp": _STAMP,
        "end_timestamp": _STAMP,
        "words": st.lists(_WORD | one_of([SECRET]), max_size=2),
        "interrupted": _BOOLEAN,
        "speaker": _PRIVATE_TEXT,
        "channel": _PRIVATE_TEXT,
        "language": _PRIVATE_TEXT,
        "confidence": one_of(0, 1.0, 0.25, "0.25"),
        "metadata": _PRIVATE_OBJECT,
        "leg_id": _LEG,
    },
    "transcript.retracted": {},
    "tool.called": {**_TOOL, "arguments": _JSON},
    "tool.returned": {**_TOOL, "successful": _BOOLEAN, "duration_ms": _MILLISECONDS, "error": _PRIVATE_TEXT},
    "latency.sampled": {"sample_id": _ID, "turn_id": _ID},
    "usage.reported": {"unit": _TEXT, "usage_id": _ID},
    "cost.reported": {
        "currency": one_of("", "USD", "usd", "EUR", "eur", "XXX"),
        "unit_price": _AMOUNT,
        "quantity": _SIGNED,
        "unit": _TEXT,
        "line_id": _ID,
        "leg_id": _LEG,
    },
    "call.analyzed": {},
}

_WRONG: tuple[Any, ...] = (
    [],
    {},
    {"a": 1},
    {"a": 1.0},
    [2**64, "\ud83d"],
    True,
    -1,
    1.5,
    5,
    2**64,
    1e22,
    STARTED // 1000,
    "x",
    "yes",
    "\ud83d",
)


def _of_type(kind: str) -> Value:
    return _data(REQUIRED.get(kind, {}), **OPTIONAL[kind])


def _costs() -> Value:
    required, optional = REQUIRED["cost.reported"], OPTIONAL["cost.reported"]
    charge = _data(required, kind=one_of("", "charge", "Charge"), **optional)
    adjustment = _data({**required, "cost": _SIGNED, "kind": one_of("adjustment", "ADJUSTMENT")}, **optional)
    return charge | charge | adjustment


BY_TYPE: dict[str, Value] = {
    **{kind: _of_type(kind) for kind in OPTIONAL if kind != "cost.reported"},
    "cost.reported": _costs(),
    "sentiment.guessed": _JSON | _PRIVATE_OBJECT,
}


_DAMAGE = {
    kind: st.dictionaries(one_of(*sorted(fields)), one_of(*_WRONG), min_size=1, max_size=2)
    for kind, fields in OPTIONAL.items()
    if fields
}


def damaged(kind: str, data: Json) -> st.SearchStrategy[Json]:
    """Draw the data with one or two of its optional fields wrong (or, by chance, in an odd spelling)."""
    return _DAMAGE[kind].map(lambda damage: data | damage)


_SILENT = (None, None, None, None, False, "False", "")
_FLAGS = {False: one_of(*_SILENT), True: one_of(*_SILENT, *_SILENT, True, "TRUE", "yes", 1, [])}


def flags(*, opt_out: bool) -> Value:
    """Return a strategy for the opt-out flag, None for an event without it; one that cannot be read opts out."""
    return _FLAGS[opt_out]
