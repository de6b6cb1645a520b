"""The types of events, and the fields of each one's `data`: what publishers are asked for.

Models only: `decode_event.py` reads with them, and JSON Schema is generated from them. Unknown fields are ignored, and
null and an empty text of an optional field mean absent. Durations and latencies are milliseconds, timestamps Unix
milliseconds.
"""

from functools import partial
from typing import Annotated, NotRequired, get_type_hints

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from shared.contract.fields import (
    Amount,
    AnyJson,
    CallType,
    Component,
    Confidence,
    CostKind,
    Currency,
    Direction,
    Flag,
    Id,
    Integer,
    JsonObject,
    Latency,
    LegId,
    Milliseconds,
    Needs,
    Quantity,
    RequiredText,
    Revision,
    Role,
    SafeFlag,
    SpokenText,
    Status,
    Text,
    Timestamp,
    ToolContent,
    needs_of,
)
from shared.contract.lenient import spellings

OPT_OUT = "opt_out_sensitive_data_storage"


class Data(TypedDict):
    """Common to the `data` of every type: how strictly it is read."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]


class OfLeg(Data):
    """What may be said of one leg of the call: a phone that rings, a transfer's target, a participant."""

    leg_id: NotRequired[
        Annotated[LegId, Field(description="The leg that this is about; without it, the call as a whole")] | None
    ]


class TelephonyIdentifier(TypedDict):
    """How the telephony provider names the call."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]
    call_sid: NotRequired[Text | None]
    conference_sid: NotRequired[Text | None]


_IDENTIFIERS = {
    field: (needs_of(hint).read, needs_of(hint).words)
    for field, hint in get_type_hints(TelephonyIdentifier, include_extras=True).items()
}


class CallFacts(OfLeg):
    """Facts about a call; any event that carries facts may have any of them."""

    agent_id: NotRequired[Id | None]
    call_type: NotRequired[CallType | None]
    direction: NotRequired[Direction | None]
    from_number: NotRequired[Text | None]
    to_number: NotRequired[Text | None]
    start_timestamp: NotRequired[Timestamp | None]
    metadata: NotRequired[JsonObject | None]
    telephony_identifier: NotRequired[
        Annotated[TelephonyIdentifier, Needs("an object", (dict,), partial(spellings.fields, _IDENTIFIERS))] | None
    ]
    public_log_url: NotRequired[Text | None]
    recording_url: NotRequired[Text | None]
    opt_out_sensitive_data_storage: NotRequired[
        Annotated[SafeFlag, Field(description="true if nothing private may be stored; read on an event of any type")]
        | None
    ]


class AnsweredCallFacts(CallFacts):
    """Facts about a call that was answered."""

    answered_by: NotRequired[Text | None]


class CallClassified(OfLeg):
    """It became known who, or what, answered."""

    answered_by: Annotated[RequiredText, Field(examples=["human", "machine", "fax", "unknown"])]
    detail: NotRequired[Text | None]


class CallTransferred(OfLeg):
    """The call is being transferred, or was."""

    destination: NotRequired[Text | None]
    mode: NotRequired[Text | None]
    transfer_id: NotRequired[Id | None]
    status: NotRequired[Status | None]


class CallDtmf(OfLeg):
    """Keys were pressed. Digits of a sensitive event are removed before anything is written."""

    __pydantic_config__ = ConfigDict(  # type: ignore[misc]
        strict=True,
        extra="ignore",
        json_schema_extra={
            "anyOf": [
                {"required": ["digits"], "properties": {"digits": {"type": "string", "minLength": 1}}},
                {"required": ["sensitive"], "properties": {"sensitive": {"const": True}}},
            ]
        },
    )
    digits: NotRequired[Annotated[Text, Field(description="Required unless `sensitive` is true")] | None]
    sensitive: NotRequired[SafeFlag | None]


class CallNote(OfLeg):
    """An entry of its own on the timeline."""

    event: RequiredText
    data: NotRequired[JsonObject | None]


class CallEnded(OfLeg):
    """The call, or a leg of it, ended."""

    disconnection_reason: RequiredText
    ended_by: NotRequired[Text | None]
    end_timestamp: NotRequired[Timestamp | None]
    duration_ms: NotRequired[Milliseconds | None]
    sip_code: NotRequired[Integer | None]
    q850_cause: NotRequired[Integer | None]
    inferred: NotRequired[SafeFlag | None]


class CallFailed(CallEnded):
    """The call, or a leg of it, ended with an error."""

    message: NotRequired[Text | None]


class RecordingAvailable(OfLeg):
    """A recording can be fetched."""

    recording_url: RequiredText
    recording_id: NotRequired[Id | None]
    channel: NotRequired[Text | None]
    duration_ms: NotRequired[Milliseconds | None]
    expires_at: NotRequired[Timestamp | None]


class Word(TypedDict):
    """A word of a turn and when it was spoken."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]
    word: RequiredText
    start: NotRequired[Timestamp | None]
    end: NotRequired[Timestamp | None]


class TranscriptTurn(OfLeg):
    """Something was said. Of one `turn_id` the highest final `revision` wins."""

    role: Role
    content: SpokenText
    turn_id: NotRequired[Id | None]
    revision: NotRequired[Revision | None]
    final: NotRequired[Flag | None]
    timestamp: NotRequired[Timestamp | None]
    end_timestamp: NotRequired[Timestamp | None]
    # The first invalid word is enough: a megabyte of them would take a second.
    words: NotRequired[
        Annotated[
            list[Word],
            Field(fail_fast=True, description="a list of words"),
            Needs("a list of words", (list,), spellings.spoken_words),
        ]
        | None
    ]
    interrupted: NotRequired[Flag | None]
    speaker: NotRequired[Text | None]
    channel: NotRequired[Text | None]
    language: NotRequired[Text | None]
    confidence: NotRequired[Confidence | None]
    metadata: NotRequired[JsonObject | None]


class TranscriptRetracted(Data):
    """A turn is withdrawn, up to this revision."""

    turn_id: Id
    revision: Revision


_ToolCallId = Annotated[Id, Field(description="By default the event's own `id`")]


class ToolCalled(Data):
    """The agent called a tool."""

    name: RequiredText
    tool_call_id: NotRequired[_ToolCallId | None]
    arguments: NotRequired[Annotated[AnyJson, Field(description="a string or any other JSON")]]
    timestamp: NotRequired[Timestamp | None]
    revision: NotRequired[Revision | None]


class ToolReturned(Data):
    """A tool answered."""

    content: ToolContent
    tool_call_id: NotRequired[_ToolCallId | None]
    successful: NotRequired[Flag | None]
    timestamp: NotRequired[Timestamp | None]
    duration_ms: NotRequired[Milliseconds | None]
    error: NotRequired[Text | None]
    revision: NotRequired[Revision | None]


class LatencySampled(Data):
    """One reply's latency in one component."""

    component: Annotated[Component, Field(examples=["e2e", "asr", "llm", "tts"])]
    value_ms: Latency
    sample_id: NotRequired[Annotated[Id, Field(description="Of one `sample_id` the latest sample counts")] | None]
    turn_id: NotRequired[Id | None]


class UsageReported(Data):
    """Units of a product were used."""

    product: RequiredText
    quantity: Quantity
    unit: NotRequired[Text | None]
    usage_id: NotRequired[
        Annotated[Id, Field(description="Of one `usage_id` the latest counts: for running totals")] | None
    ]


class CostReported(OfLeg):
    """What a provider charges, as the provider states it. A charge is not negative."""

    product: RequiredText
    cost: Annotated[Amount, Field(description="Of a `charge` 0 or more; of an `adjustment`, a credit say, any amount")]
    currency: NotRequired[
        Annotated[Currency, Field(description="ISO 4217; by default that of the price book", examples=["EUR"])] | None
    ]
    kind: NotRequired[
        Annotated[CostKind, Field(description="`charge`, the default, or `adjustment`, which is added to charges")]
        | None
    ]
    unit_price: NotRequired[Amount | None]
    quantity: NotRequired[Amount | None]
    unit: NotRequired[Text | None]
    line_id: NotRequired[Id | None]


class CallAnalyzed(Data):
    """What an analysis of the call found."""

    analysis: JsonObject


TELEPHONY: dict[str, type] = {
    "call.scheduled": CallFacts,
    "call.created": CallFacts,
    "call.ringing": CallFacts,
    "call.started": AnsweredCallFacts,
    "call.classified": CallClassified,
    "call.updated": AnsweredCallFacts,
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
