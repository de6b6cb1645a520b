"""Hypothesis strategies for events with anything in their fields, and for events that are almost as they are read."""

import random
from typing import Any

from hypothesis import strategies as st

from shared.contract.payloads import OPT_OUT, TYPES
from tests.support.events.makers import STARTED, Json, event, raw

FIELDS = sorted({field for model in TYPES.values() for field in model.__annotations__} | {"call_sid", "word", "start"})

NUMBERS = (
    st.integers()
    | st.sampled_from([10**309, -(10**400)])  # beyond a double
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(10**12, 4 * 10**12)
    | st.integers(2**63 - 1, 2**63 + 1)
    | st.sampled_from([STARTED, STARTED + 3_600_000, STARTED + 3_600_001, 486.0, 1e22])
)
TEXTS = (
    st.text(st.characters(exclude_categories=()), max_size=5)
    | st.from_regex(r"-?[0-9]{1,10}(\.[0-9]{1,13})?", fullmatch=True)
    | st.sampled_from(["", "true", "False", "1e5", "charge", "EUR", "LLM.ttft", "Bridged", "\ud800", "a\0"])
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | TEXTS, inner, max_size=4),
    max_leaves=8,
)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "time": TEXTS | st.sampled_from([None, "2099-01-01T00:00:00Z", "2023-12-20 18:40:30Z"]),
        "producertime": TEXTS,
        "sequence": ANYTHING,
        "specversion": st.sampled_from([1.0, 1]),
        "id": NUMBERS,
        "data_base64": TEXTS | st.sampled_from(["e30=", "WzFd"]),
        "ignored": ANYTHING,
    },
)


@st.composite
def odd_events(draw: st.DrawFn) -> bytes:
    """Draw an event with anything in its fields, the more so in those that are read."""
    kind = draw(st.sampled_from([*sorted(TYPES), "x"]))
    body = event(kind, at=STARTED)
    own = sorted(TYPES[kind].__annotations__) if kind in TYPES else FIELDS
    body["data"] |= draw(st.dictionaries(st.sampled_from(own), ANYTHING, max_size=3))
    body |= draw(MORE)
    body = draw(st.sampled_from([body, body, body, body | {"data": draw(ANYTHING)}]))
    body |= draw(st.sampled_from([{}, {}, {}, {name: body[name] + "\ud83d" for name in ("subject", "organizationid")}]))
    first: Json = draw(st.sampled_from([{}, {}, {"first": draw(ANYTHING)}, {"first": 10**400}]))
    return raw(first | body)


_ALMOST = st.sampled_from(
    [
        *(None, "", True, False, 0, 1, 1.0, 0.5, -0.0, "5", "5.00", 5.0, "agent", "user", "inbound", "web", "EUR"),
        *(
            STARTED,
            float(STARTED),
            STARTED + 0.5,
            {},
            [],
            {"b": 1.0, "a": None},
            {"call_sid": "", "conference_sid": "c"},
        ),
        {"conference_sid": "c", "call_sid": "s"},
        [{"word": "hi", "start": STARTED, "end": STARTED + 1}],
        [{"start": STARTED, "word": "hi"}, {"word": "there", "end": float(STARTED)}],
        [{"word": "hi", "start": None}, {"word": "hi", "confidence": 0.9}],
    ]
)
"""Values that fit some fields, as they are or after a little change, or that equal what they are read as: 1 and 1.0."""


@st.composite
def almost_as_read(draw: st.DrawFn) -> bytes:
    """Draw an event that is mostly accepted, with null, empty and unknown fields, and its fields in any order."""
    kind = draw(st.sampled_from([*sorted(TYPES), "x"]))
    body = event(kind, at=STARTED)
    own = sorted(TYPES[kind].__annotations__) if kind in TYPES else FIELDS
    data = body["data"] | draw(st.dictionaries(st.sampled_from([*own, "unknown", OPT_OUT]), _ALMOST, max_size=4))
    order = list(data)
    random.Random(draw(st.integers(0, 9))).shuffle(order)
    body["data"] = {name: data[name] for name in order}
    body |= draw(st.sampled_from([{}, {"sequence": None}, {"sequence": 7}, {"sequence": "07"}, {"traceparent": None}]))
    return raw(body)


def same(one: Any, other: Any) -> bool:
    """Return whether two events are equal, their numbers of the same type too."""
    return repr(one) == repr(other)
