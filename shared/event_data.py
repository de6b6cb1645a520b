"""The contract's types: what the `data` of each may hold. Models only; `events.py` reads with them.

Reading is strict (no text is taken for a number) and open (unknown fields are ignored, null is absent). Whatever may
be absent is `NotRequired`. Durations and latencies are milliseconds, timestamps Unix milliseconds, money dollars.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

EARLIEST_MS = 946_684_800_000
"""2000-01-01T00:00:00Z."""

LATEST_MS = 4_133_980_800_000
"""2101-01-01T00:00:00Z, which is the first moment too late."""

OPT_OUT = "opt_out_sensitive_data_storage"

_AMOUNT_LIMIT = 10**9
_AMOUNT_PLACES = 12
_AMOUNT_TEXT = re.compile(rf"-?[0-9]+(\.[0-9]{{1,{_AMOUNT_PLACES}}})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a field needs, in the words that a dead letter says it with."""

    words: str


def _amount(value: Any) -> Decimal:
    """Return the decimal that a JSON number (by its shortest spelling) or a plain text of digits stands for."""
    match value:
        case bool():
            raise ValueError("a truth value")
        case int() | float():
            amount = Decimal(repr(value))
        case str() if _AMOUNT_TEXT.fullmatch(value):
            amount = Decimal(value)
        case _:
            raise ValueError("no amount")
    # copy_abs() and the comparison take a million digits as they are; normalize(), like any arithmetic, would overflow.
    if amount.copy_abs() >= _AMOUNT_LIMIT:
        raise ValueError("out of bounds")
    exponent = amount.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > _AMOUNT_PLACES:
        raise ValueError("out of bounds")
    return amount


def _not_negative(amount: Decimal) -> Decimal:
    if amount < 0:
        raise ValueError("out of bounds")
    return amount


def _not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("absent")
    return value


_DIGITS = rf"0*[0-9]{{1,9}}(\.[0-9]{{1,{_AMOUNT_PLACES}}})?"
_AMOUNT_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": -_AMOUNT_LIMIT, "exclusiveMaximum": _AMOUNT_LIMIT},
        {"type": "string", "pattern": f"^-?{_DIGITS}$"},
    ]
}
_QUANTITY_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": _AMOUNT_LIMIT},
        {"type": "string", "pattern": rf"^{_DIGITS}$|^-0+(\.0{{1,{_AMOUNT_PLACES}}})?$"},
    ]
}
_PLAIN = "a number or a text like `-12.50`, at most 12 digits after the point, below 10^9"

Text = Annotated[str, Needs("a text")]
RequiredText = Annotated[str, Field(min_length=1), Needs("a text that is not empty")]
Id = Annotated[str, Field(min_length=1, max_length=256), Needs("a text of 1 to 256 characters")]
Flag = Annotated[bool, Needs("true or false")]
Integer = Annotated[int, Needs("an integer")]
Revision = Annotated[int, Field(ge=0), Needs("an integer of 0 or more")]
JsonObject = Annotated[dict[str, Any], Needs("an object")]
Timestamp = Annotated[
    # Only a fraction costs a call of a Python function: words have two of these each.
    Annotated[int, Field(ge=EARLIEST_MS, lt=LATEST_MS)]
    | Annotated[float, Field(ge=EARLIEST_MS, lt=LATEST_MS), AfterValidator(int)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": EARLIEST_MS, "exclusiveMaximum": LATEST_MS}),
    Needs("Unix milliseconds in the years 2000 to 2100"),
]
Milliseconds = Annotated[
    # As a float the next integer above is 2^53 itself.
    Annotated[int, Field(ge=0, le=2**53)] | Annotated[float, Field(ge=0, lt=2**53)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 2**53}),
    Needs("milliseconds, 0 to 2^53"),
]
Latency = Annotated[
    Annotated[int, Field(ge=0, le=3_600_000)] | Annotated[float, Field(ge=0, le=3_600_000)],
    Field(union_mode="left_to_right"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 3_600_000}),
    Needs("milliseconds, 0 to 3,600,000"),
]
Amount = Annotated[Decimal, BeforeValidator(_amount), WithJsonSchema(_AMOUNT_SCHEMA), Needs(_PLAIN)]
Quantity = Annotated[
    Decimal,
    BeforeValidator(_amount),
    AfterValidator(_not_negative),
    WithJsonSchema(_QUANTITY_SCHEMA),
    Needs(f"{_PLAIN}, not negative"),
]
AnyJson = Annotated[
    Any, AfterValidator(_not_null), WithJsonSchema({"not": {"type": "null"}}), Needs("a text or any JSON")
]


class Data(TypedDict):
    """What every type's `data` has in common: how strictly it is read."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]


class TelephonyIdentifier(TypedDict):
    """How the telephony provider names the call."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]
    call_sid: NotRequired[Text | None]
    conference_sid: NotRequired[Text | None]


class CallDetails(Data):
    """What is known of a call; each may come with any of the events that carry details."""

    agent_id: NotRequired[Text | None]
    call_type: NotRequired[Annotated[Text, Field(examples=["PHONE_CALL", "WEB_CALL"])] | None]
    direction: NotRequired[Annotated[Text, Field(examples=["INBOUND", "OUTBOUND"])] | None]
    from_number: NotRequired[Text | None]
    to_number: NotRequired[Text | None]
    start_timestamp: NotRequired[Timestamp | None]
    metadata: NotRequired[JsonObject | None]
    telephony_identifier: NotRequired[TelephonyIdentifier | None]
    public_log_url: NotRequired[Text | None]
    recording_url: NotRequired[Text | None]
    opt_out_sensitive_data_storage: NotRequired[Flag | None]


class CallTransferred(Data):
    """The call went to somebody else."""

    destination: NotRequired[Text | None]
    mode: NotRequired[Text | None]
    transfer_id: NotRequired[Text | None]


class CallDtmf(Data):
    """Keys were pressed."""

    digits: RequiredText


class CallNote(Data):
    """Anything worth a line on the timeline."""

    event: RequiredText
    data: NotRequired[JsonObject | None]


class CallEnded(Data):
    """The call is over."""

    disconnection_reason: RequiredText
    ended_by: NotRequired[Text | None]
    end_timestamp: NotRequired[Timestamp | None]
    duration_ms: NotRequired[Milliseconds | None]
    sip_code: NotRequired[Integer | None]
    q850_cause: NotRequired[Integer | None]
    inferred: NotRequired[Flag | None]


class CallFailed(CallEnded):
    """The call is over, by a fault."""

    message: NotRequired[Text | None]


class RecordingAvailable(Data):
    """A recording can be fetched."""

    recording_url: RequiredText
    duration_ms: NotRequired[Milliseconds | None]
    expires_at: NotRequired[Timestamp | None]


class Word(TypedDict):
    """A word of a turn and when it was spoken."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]
    word: RequiredText
    start: NotRequired[Timestamp | None]
    end: NotRequired[Timestamp | None]


class TranscriptTurn(Data):
    """Something was said. Of one `turn_id` the highest `revision` that is final stands."""

    role: Annotated[RequiredText, Field(examples=["assistant", "user", "system"], description="`agent`: `assistant`")]
    content: Text
    turn_id: NotRequired[Id | None]
    revision: NotRequired[Revision | None]
    final: NotRequired[Flag | None]
    timestamp: NotRequired[Timestamp | None]
    words: NotRequired[Annotated[list[Word], Needs("a list of words")] | None]
    interrupted: NotRequired[Flag | None]


class TranscriptRetracted(Data):
    """A turn was not said after all, up to this revision."""

    turn_id: Id
    revision: Revision


class ToolCalled(Data):
    """The agent called a tool."""

    tool_call_id: Id
    name: RequiredText
    arguments: NotRequired[Annotated[Any, Needs("a text or any JSON")]]


class ToolReturned(Data):
    """A tool answered."""

    tool_call_id: Id
    content: AnyJson
    successful: NotRequired[Flag | None]


class LatencySampled(Data):
    """One reply's latency in one component."""

    component: Annotated[
        str,
        Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["e2e", "asr", "llm", "tts"]),
        Needs("a name of lower-case letters, digits and _, at most 64 characters"),
    ]
    value_ms: Latency


class UsageReported(Data):
    """Units of a product were used."""

    product: RequiredText
    quantity: Quantity
    unit: NotRequired[Text | None]


class CostReported(Data):
    """What a provider charges, by its own word."""

    product: RequiredText
    cost: Amount
    unit_price: NotRequired[Quantity | None]
    line_id: NotRequired[Id | None]


class CallAnalyzed(Data):
    """What an analysis of the call found."""

    analysis: JsonObject


TELEPHONY: dict[str, type] = {
    "call.scheduled": CallDetails,
    "call.created": CallDetails,
    "call.started": CallDetails,
    "call.updated": CallDetails,
    "call.transferred": CallTransferred,
    "call.dtmf": CallDtmf,
    "call.note": CallNote,
    "call.ended": CallEnded,
    "call.failed": CallFailed,
    "recording.available": RecordingAvailable,
    "cost.reported": CostReported,
}
"""The types of the telephony topic."""

TRANSCRIPTION: dict[str, type] = {
    "transcript.turn": TranscriptTurn,
    "transcript.retracted": TranscriptRetracted,
    "tool.called": ToolCalled,
    "tool.returned": ToolReturned,
    "latency.sampled": LatencySampled,
    "usage.reported": UsageReported,
    "call.analyzed": CallAnalyzed,
}
"""The types of the transcription topic."""

TYPES: dict[str, type] = TELEPHONY | TRANSCRIPTION
