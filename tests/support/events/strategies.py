"""Hypothesis strategies for calls, with ranges so narrow that ties and conflicts are common.

All private content, of which an opted-out call keeps nothing, contains the string `SECRET`.
"""

from typing import Any

from hypothesis import strategies as st

from tests.support.events.makers import STARTED, Json, event, rfc3339
from tests.support.reference.cost import SHIPPED, PriceList

SECRET = "s3cret"  # noqa: S105 - what a test looks for

_HIGHER = PriceList(
    effective=STARTED + 2,
    products={"inbound_call": ("0.0333", "duration"), "llm_usage": ("0.001000000001", "unit")},
    increment="0.7",
    minimum="60.25",
)
PRICE_LISTS = (SHIPPED, _HIGHER)

Value = st.SearchStrategy[Any]


def _data(required: dict[str, Value], **optional: Value) -> Value:
    """Draw objects with the required fields, each optional one with a value, null or absent."""
    return st.fixed_dictionaries(required, optional={name: st.none() | value for name, value in optional.items()})


def _not_null(content: Any) -> bool:
    return content is not None


def _one_of(*values: Any) -> Value:
    return st.sampled_from(values)


_TIME = st.integers(STARTED, STARTED + 3) | _one_of(STARTED + 1_000, STARTED + 61_001)
_STAMP = _TIME | _TIME.map(lambda time: time + 0.5)
_MILLISECONDS = _one_of(0, 1, 999, 1000, 59_999.5, 300_000)
_ID = _one_of("1", "2")  # like the ids of events: a thing with an id must not be confused with one without
_TEXT = _one_of("", "a", "b", "z", "é", "$27", "\u0000", "😀", "￿")
_CONTENT = _one_of("", SECRET, f"é {SECRET}", f"z {SECRET}", f"\n{SECRET}\u0000")
_PRIVATE_TEXT = _one_of("", f"+1 {SECRET}", f"é {SECRET}")
_REASON = _one_of("unknown", "Completed", "NORMAL_CLEARING", "inactivity", "user_hangup", "é")
_JSON = st.recursive(
    _one_of(None, True, 0, 1, 1.0, -0.5, 1e22, SECRET, f"é{SECRET}"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_one_of("b", "a", "é", SECRET), inner, max_size=2),
    max_leaves=3,
)
_PRIVATE_OBJECT = st.dictionaries(_one_of("b", "a", f"é{SECRET}"), _JSON, max_size=2)
_PRODUCT = _one_of("llm_usage", "stt_usage", "inbound_call", "web_call", "carrier", "é")
_AMOUNT = _one_of(0, 1, 0.1, "0.1", "0.0000005", "0.000001500000", 1e-7, "123456789.123456789012")
_CONFERENCE = _data({}, call_sid=_TEXT, conference_sid=_TEXT)
_DETAILS: dict[str, Value] = {
    "agent_id": _TEXT,
    "call_type": _one_of("", "web_call", "PHONE_CALL", "é"),
    "direction": _one_of("", "inbound", "OUTBOUND", "sideways"),
    "from_number": _PRIVATE_TEXT,
    "to_number": _PRIVATE_TEXT,
    "start_timestamp": _STAMP,
    "metadata": st.dictionaries(_ID, _one_of(None, "", "x", "é", 0, False, [], {}, 1.5), max_size=2),
    "telephony_identifier": _CONFERENCE,
    "public_log_url": _PRIVATE_TEXT,
    "recording_url": _PRIVATE_TEXT,
}
_END: dict[str, Value] = {
    "ended_by": _TEXT,
    "end_timestamp": _STAMP,
    "duration_ms": _MILLISECONDS,
    "sip_code": _one_of(200, 486),
    "q850_cause": _one_of(0, 16),
    "inferred": st.booleans(),
}
_WORD = st.fixed_dictionaries(
    {"word": _one_of(SECRET)}, optional={"start": st.none() | _STAMP, "end": st.none() | _STAMP}
)
_REVISION = st.integers(0, 2)
_TOOL = {"tool_call_id": _ID}

_BY_TYPE: dict[str, Value] = {
    "call.scheduled": _data({}, **_DETAILS),
    "call.created": _data({}, **_DETAILS),
    "call.started": _data({}, **_DETAILS),
    "call.updated": _data({}, **_DETAILS),
    "call.transferred": _data({}, destination=_PRIVATE_TEXT, mode=_TEXT, transfer_id=_ID),
    "call.dtmf": _data({"digits": _one_of(f"1{SECRET}")}),
    "call.note": _data({"event": _one_of(f"é{SECRET}", f"z{SECRET}")}, data=_PRIVATE_OBJECT),
    "call.ended": _data({"disconnection_reason": _REASON}, **_END, message=_PRIVATE_TEXT),
    "call.failed": _data({"disconnection_reason": _REASON}, **_END, message=_PRIVATE_TEXT),
    "recording.available": _data({"recording_url": _one_of(SECRET)}, duration_ms=_MILLISECONDS, expires_at=_STAMP),
    "transcript.turn": _data(
        {"role": _one_of("agent", "assistant", "user", "é"), "content": _CONTENT},
        turn_id=_ID,
        revision=_REVISION,
        final=st.booleans(),
        timestamp=_STAMP,
        words=st.lists(_WORD, max_size=2),
        interrupted=st.booleans(),
    ),
    "transcript.retracted": st.fixed_dictionaries({"turn_id": _ID, "revision": _REVISION}),
    "tool.called": _data({**_TOOL, "name": _one_of(SECRET)}, arguments=_JSON),
    "tool.returned": _data({**_TOOL, "content": _JSON.filter(_not_null)}, successful=st.booleans()),
    "latency.sampled": st.fixed_dictionaries(
        {"component": _one_of("e2e", "tts", "x_1"), "value_ms": _one_of(0, 1, 1.0, 0.1, 120.123456789, 3_600_000)}
    ),
    "usage.reported": _data({"product": _PRODUCT, "quantity": _AMOUNT}, unit=_TEXT),
    "cost.reported": _data(
        {"product": _PRODUCT, "cost": _AMOUNT | _one_of("-0.0000005", -1)}, unit_price=_AMOUNT, line_id=_ID
    ),
    "call.analyzed": st.fixed_dictionaries({"analysis": _PRIVATE_OBJECT}),
    "sentiment.guessed": _JSON,
}
TYPES = tuple(_BY_TYPE)
FINAL = ("call.ended", "call.failed")
TOPICS = {
    "details": ("call.scheduled", "call.created", "call.started", "call.updated", "recording.available"),
    "ends": (*FINAL, "call.started", "transcript.turn", "call.scheduled"),
    "timeline": ("call.transferred", "call.dtmf", "call.note", "sentiment.guessed", "call.started"),
    "turns": ("transcript.turn", "transcript.retracted"),
    "tools": ("tool.called", "tool.returned", "transcript.turn"),
    "latency": ("latency.sampled",),
    "cost": ("cost.reported", "usage.reported", "call.started"),
}
"""Types that affect each other: calls of these types alone have many conflicts."""


@st.composite
def events(draw: st.DrawFn, types: tuple[str, ...] = TYPES, *, identities: int = 6, opt_out: bool = False) -> Json:
    """Draw a valid event as an object with its keys in any order; `identities` is the number of ids per source."""
    kind = draw(_one_of(*types))
    data = draw(_BY_TYPE[kind])
    if isinstance(data, dict):
        flag = draw(_one_of(None, True, False) if opt_out else _one_of(None, None, False))
        data |= {} if flag is None else {"opt_out_sensitive_data_storage": flag}
        data |= {"unknown": SECRET} if kind in ("call.ended", "call.updated") and draw(st.booleans()) else {}
    body = {
        "specversion": "1.0",
        "id": draw(st.integers(1, identities).map(str)),
        "source": draw(_one_of("/a", "/b")),
        "type": kind,
        "subject": "call-456",
        "time": rfc3339(draw(_TIME)),
        "organizationid": "org-789",
        "sequence": draw(_one_of(None, "", "2", 2, "10", 10, "é")),
        "data": data,
    }
    return {key: body[key] for key in draw(_one_of(list(body), list(reversed(body))))}


def calls(types: tuple[str, ...] = TYPES, *, opt_out: bool = False) -> st.SearchStrategy[list[Json]]:
    return st.lists(events(types, opt_out=opt_out), min_size=1, max_size=12)


def calls_without_conflicts(types: tuple[str, ...] = TYPES, *, opt_out: bool = False) -> st.SearchStrategy[list[Json]]:
    drawn = events(types, identities=20, opt_out=opt_out)
    return st.lists(drawn, min_size=1, max_size=12, unique_by=lambda body: (body["source"], body["id"]))


def conflicting_versions() -> st.SearchStrategy[list[Json]]:
    """Draw bodies with one identity that differ in a letter, or in the spelling of a number or the sequence."""
    said = _one_of("z", "é", "{", "\u007f", "😀", "￿", 1, 1.0, 10, 1e22, None)
    bodies = st.builds(
        lambda agent, value, sequence: event(
            "call.updated", id="1", agent_id=agent, metadata={"said": value}, sequence=sequence
        ),
        _one_of("é", "z", "{", "😀", "￿"),
        said,
        _one_of(None, "", "2", 2),
    )
    return st.lists(bodies, min_size=2, max_size=4)
