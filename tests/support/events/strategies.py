"""Hypothesis strategies for calls, with ranges so narrow that ties and conflicts are common.

All private content, of which an opted-out call keeps nothing, contains the string `SECRET`.
"""

import base64
import json
from typing import Any

from hypothesis import strategies as st

from tests.support.events.data_strategies import (
    BY_TYPE,
    OPTIONAL,
    REQUIRED,
    SECRET,
    TIME,
    damaged,
    flags,
    one_of,
)
from tests.support.events.makers import STARTED, Json, event, rfc3339
from tests.support.reference.cost import SHIPPED, PriceList
from tests.support.reference.parsing import is_sensitive

__all__ = [
    "FINAL",
    "PRICE_LISTS",
    "SECRET",
    "TOPICS",
    "TYPES",
    "arrivals",
    "calls",
    "calls_without_conflicts",
    "conflicting_versions",
    "events",
]

_HIGHER = PriceList(
    effective=STARTED + 2,
    products={"inbound_call": ("0.0333", "duration"), "llm_usage": ("0.001000000001", "unit")},
    increment="0.7",
    minimum="60.25",
    rates={"EUR": "1.1"},
)
_LATER = PriceList(
    effective=STARTED + 10_000,
    products={"phone_call": ("0.05", "duration"), "carrier": ("0.01", "duration"), "llm_usage": ("0.002", "unit")},
    rates={"EUR": "0.333333333333"},
)
PRICE_LISTS = (SHIPPED, _HIGHER, _LATER)

TYPES = tuple(BY_TYPE)
FINAL = ("call.ended", "call.failed")
TOPICS = {
    "details": ("call.scheduled", "call.created", "call.ringing", "call.started", "call.updated"),
    "ends": (*FINAL, "call.started", "transcript.turn", "call.scheduled"),
    "ends and legs": (*FINAL, *FINAL, "call.started", "call.started", "call.dtmf", "transcript.turn"),
    "duration": ("call.ended", "call.ended", "call.started", "call.ringing", "usage.reported"),
    "timeline": ("call.classified", "call.dtmf", "call.note", "sentiment.guessed", "call.started", *FINAL),
    "turns": ("transcript.turn", "transcript.turn", "transcript.retracted", "call.ended"),
    "tools": ("tool.called", "tool.returned"),
    "tools and turns": ("tool.called", "tool.returned", "transcript.turn"),
    "recordings": ("recording.available", "call.updated"),
    "transfers": ("call.transferred", "call.started", "call.ended"),
    "latency": ("latency.sampled",),
    "cost": ("cost.reported", "usage.reported", "call.started"),
}
"""Types that affect each other: calls of these types alone have many conflicts."""

# Like the ids in `data`; some of one time sort by their length first.
_IDS = (
    "1",
    "2",
    "t2",
    "t10",
    "t1",
    "10",
    *(f"t{number}" for number in (3, 4, 5, 6, 7, 8, 9, 11, 12)),
    "3",
    "4",
    "5",
    "6",
)
_SOURCE = one_of("/a", "/b", "/a", "/b", "/c")
_SEQUENCE = one_of(None, None, "", "2", 2, "10", 10, "é")
_REVERSED = st.booleans()
_PRODUCER_TIME = one_of(rfc3339(STARTED + 86_400_000), rfc3339(STARTED + 3), "", "yesterday")
# What is odd about an event: one in two is ordinary.
_ODD = one_of(*[""] * 12, *["field"] * 6, *["clock"] * 2, *["attribute"] * 2, "data", "carried")
_RARELY = one_of(False, False, True)


@st.composite
def events(
    draw: st.DrawFn,
    types: tuple[str, ...] = TYPES,
    *,
    identities: int = 6,
    opt_out: bool = False,
    logged: bool = False,
) -> Json:
    """Draw a valid event as an object with its keys in any order; `identities` is the number of ids per source.

    One that is `logged` is as the log has it: its clock may have been wrong, and sensitive digits are left out. It may
    also have what exists in structured mode alone.
    """
    kind = draw(one_of(*types))
    data = draw(BY_TYPE[kind])
    odd = draw(_ODD)
    if odd == "field" and OPTIONAL.get(kind):
        data = draw(damaged(kind, data))
    if isinstance(data, dict):
        flag = draw(flags(opt_out=opt_out))
        data |= {} if flag is None else {"opt_out_sensitive_data_storage": flag}
    body = {
        "specversion": "1.0",
        "id": draw(one_of(*_IDS[:identities])),
        "source": draw(_SOURCE),
        "type": kind,
        "subject": "call-456",
        "time": rfc3339(draw(TIME)),
        "organizationid": "org-789",
        "sequence": draw(_SEQUENCE),
        "data": data,
    }
    if logged:
        body = draw(_as_in_the_log(body, odd))
    return dict(reversed(body.items())) if draw(_REVERSED) else body


@st.composite
def _as_in_the_log(draw: st.DrawFn, body: Json, odd: str) -> Json:
    data = body["data"]
    if body["type"] == "call.dtmf" and is_sensitive(data):
        body |= {"data": {name: value for name, value in data.items() if name != "digits"}}
    match odd:
        case "clock":
            body |= {"producertime": draw(_PRODUCER_TIME)}
        case "attribute":
            body |= draw(one_of(*_ODD_ATTRIBUTES))
        case "data" if body["type"] not in REQUIRED:
            body |= {"data": draw(one_of(None, "", [], 5, "x"))}
        case "carried" if isinstance(data, dict):
            body |= draw(one_of(*_carried(body["data"])))
    return body


_ODD_ATTRIBUTES = (
    {"specversion": 1.0},
    {"id": 1},
    {"source": "/a\ud83d"},
    {"sequence": "s" * 33},
    {"sequence": [2]},
    {"ignored": "\ud83d"},
)


def _carried(data: Any) -> list[Json]:
    """Return other ways to carry the same data: as a text, and as base64."""
    text = json.dumps(data)
    encoded = base64.b64encode(text.encode()).decode()
    types: tuple[Json, ...] = ({}, {"datacontenttype": "application/json"}, {"datacontenttype": "text/json"})
    return [{"data": text}, *({"data": None, "data_base64": encoded} | datacontenttype for datacontenttype in types)]


@st.composite
def _delivered_again(draw: st.DrawFn, bodies: list[Json]) -> list[Json]:
    """Draw the bodies, sometimes with another version of one: of another time or sequence, or by another clock."""
    if not draw(_RARELY):
        return bodies
    body, time = draw(one_of(*bodies)), rfc3339(draw(TIME))
    versions: tuple[Json, ...] = (
        {"time": time, "producertime": draw(one_of("", body["time"]))},
        {"time": time},
        {"sequence": draw(one_of(None, "", "2", 2))},
    )
    return [*bodies, body | draw(one_of(*versions))]


def calls(types: tuple[str, ...] = TYPES, *, opt_out: bool = False) -> st.SearchStrategy[list[Json]]:
    """Draw the bodies of a call as the log has them."""
    drawn = events(types, opt_out=opt_out, logged=True)
    return st.lists(drawn, min_size=1, max_size=12).flatmap(_delivered_again)


def calls_without_conflicts(types: tuple[str, ...] = TYPES, *, opt_out: bool = False) -> st.SearchStrategy[list[Json]]:
    drawn = events(types, identities=20, opt_out=opt_out, logged=True)
    return st.lists(drawn, min_size=1, max_size=12, unique_by=lambda body: (body["source"], str(body["id"])))


def conflicting_versions() -> st.SearchStrategy[list[Json]]:
    """Draw bodies with one identity that differ in a letter, in a spelling, or in their time."""
    said = one_of("z", "é", "{", "\u007f", "😀", "￿", "\ud83d", "\ufffd", 1, 1.0, 10, 1e22, 2**64, str(2**64), None)
    clock = one_of({}, {}, {}, {"producertime": ""}, {"producertime": rfc3339(STARTED + 1)})
    bodies = st.builds(
        lambda agent, value, sequence, time, clock: (
            event("call.updated", id="1", at=time, agent_id=agent, metadata={"said": value}, sequence=sequence) | clock
        ),
        one_of("é", "z", "{", "😀", "￿"),
        said,
        one_of(None, "", "2", 2),
        one_of(STARTED, STARTED, STARTED + 1),
        clock,
    )
    return st.lists(bodies, min_size=2, max_size=4)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[Json, int]:
    """Draw a body as it is published and its arrival in Unix milliseconds; some are no valid events."""
    body, arrival = draw(events(opt_out=True)), STARTED + draw(one_of(0, 3, 86_400_000))
    times = (
        None,
        "yesterday",
        5,
        "",
        "1999-12-31T23:59:59Z",
        rfc3339(arrival + 3_600_000),
        rfc3339(arrival + 3_600_001),
    )
    if draw(st.booleans()):
        body |= {"time": draw(one_of(*times))}
    if draw(_RARELY):
        body |= {"producertime": body["time"]}
    required = sorted(REQUIRED.get(body["type"], {}))
    if draw(st.booleans()) and required:
        wrong: Json = {draw(one_of(*required)): draw(one_of(None, [], True, "\u0000" * 300))}
        body |= {"data": body["data"] | wrong}
    if body["type"] == "cost.reported" and draw(_RARELY):
        body |= {"data": body["data"] | draw(one_of({"kind": "credit"}, {"kind": 5}, {"kind": "charge", "cost": -1}))}
    return body, arrival
