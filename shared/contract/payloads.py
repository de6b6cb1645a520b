"""The types of events, and the fields of each one's `data`. Models only; `envelope.py` reads with them.

Unknown fields are ignored, and null means absent. Durations and latencies are milliseconds, timestamps Unix
milliseconds, money dollars.
"""

from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from shared.contract.fields import (
    Amount,
    AnyJson,
    Flag,
    Id,
    Integer,
    JsonObject,
    Latency,
    Milliseconds,
    Needs,
    Quantity,
    RequiredText,
    Revision,
    Text,
    Timestamp,
)

OPT_OUT = "opt_out_sensitive_data_storage"


class Data(TypedDict):
    """Common to the `data` of every type: how strictly it is read."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]


class TelephonyIdentifier(TypedDict):
    """How the telephony provider names the call."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]
    call_sid: NotRequired[Text | None]
    conference_sid: NotRequired[Text | None]


class CallFacts(Data):
    """Facts about a call; any event that carries details may have any of them."""

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
    """The call was transferred."""

    destination: NotRequired[Text | None]
    mode: NotRequired[Text | None]
    transfer_id: NotRequired[Text | None]


class CallDtmf(Data):
    """Keys were pressed."""

    digits: RequiredText


class CallNote(Data):
    """An entry of its own on the timeline."""

    event: RequiredText
    data: NotRequired[JsonObject | None]


class CallEnded(Data):
    """The call ended."""

    disconnection_reason: RequiredText
    ended_by: NotRequired[Text | None]
    end_timestamp: NotRequired[Timestamp | None]
    duration_ms: NotRequired[Milliseconds | None]
    sip_code: NotRequired[Integer | None]
    q850_cause: NotRequired[Integer | None]
    inferred: NotRequired[Flag | None]


class CallFailed(CallEnded):
    """The call ended with an error."""

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
    """Something was said. Of one `turn_id` the highest final `revision` wins."""

    role: Annotated[RequiredText, Field(examples=["assistant", "user", "system"], description="`agent`: `assistant`")]
    content: Text
    turn_id: NotRequired[Id | None]
    revision: NotRequired[Revision | None]
    final: NotRequired[Flag | None]
    timestamp: NotRequired[Timestamp | None]
    # The first invalid word is enough: a megabyte of them would take a second.
    words: NotRequired[Annotated[list[Word], Field(fail_fast=True, description="a list of words")] | None]
    interrupted: NotRequired[Flag | None]


class TranscriptRetracted(Data):
    """A turn is withdrawn, up to this revision."""

    turn_id: Id
    revision: Revision


class ToolCalled(Data):
    """The agent called a tool."""

    tool_call_id: Id
    name: RequiredText
    arguments: NotRequired[Annotated[Any, Field(description="a string or any other JSON")]]


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
        Needs("a name of lower-case letters, digits and `_`, at most 64 characters", (str,)),
    ]
    value_ms: Latency


class UsageReported(Data):
    """Units of a product were used."""

    product: RequiredText
    quantity: Quantity
    unit: NotRequired[Text | None]


class CostReported(Data):
    """What a provider charges, as the provider states it."""

    product: RequiredText
    cost: Amount
    unit_price: NotRequired[Quantity | None]
    line_id: NotRequired[Id | None]


class CallAnalyzed(Data):
    """What an analysis of the call found."""

    analysis: JsonObject


TELEPHONY: dict[str, type] = {
    "call.scheduled": CallFacts,
    "call.created": CallFacts,
    "call.started": CallFacts,
    "call.updated": CallFacts,
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
