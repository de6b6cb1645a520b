"""The call record as the API returns it; the order of its keys is part of the contract.

Times are Unix milliseconds, durations seconds, latencies milliseconds, money the price book's currency.
"""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

CallStatus = Literal["REGISTERED", "ONGOING", "ENDED", "ERROR", "SCHEDULED"]


class TimelineEntry(TypedDict):
    """Something that happened; `session_time` is seconds since the session's start, 0 before it."""

    timestamp: int
    event: str
    session_time: float
    data: dict[str, Any]


class SpokenWord(TypedDict):
    """A word and when it was spoken, null if that is unknown."""

    word: str
    start: int | None
    end: int | None


class Turn(TypedDict):
    """What one side said."""

    role: str
    content: str
    timestamp: int
    words: list[SpokenWord]


class ToolCallInvocation(TypedDict):
    """A tool was called; `arguments` is JSON as text."""

    role: Literal["tool_call_invocation"]
    tool_call_id: str
    name: str
    arguments: str
    timestamp: int


class ToolCallResult(TypedDict):
    """A tool answered; `successful` is null if the event does not have it."""

    role: Literal["tool_call_result"]
    tool_call_id: str
    content: str
    successful: bool | None
    timestamp: int


class Percentiles(TypedDict):
    """The samples of one component, milliseconds; percentiles by linear interpolation between closest ranks."""

    max: float
    min: float
    num: int
    p50: float
    p90: float
    p95: float
    p99: float
    values: list[float]


class ProductCost(TypedDict):
    """The cost of one product."""

    product: str
    cost: float
    unit_price: float | None


class CallCost(TypedDict):
    """The cost of the call.

    `combined_cost` = sum of `product_costs[].cost`
    = `total_duration_seconds` / 60 * `total_duration_unit_price` + `total_one_time_price`.
    """

    combined_cost: float
    product_costs: list[ProductCost]
    total_duration_seconds: float
    total_duration_unit_price: float
    total_one_time_price: float


class TelephonyIds(TypedDict):
    """How the telephony provider names the call."""

    call_sid: str | None
    conference_sid: str | None


class Record(TypedDict):
    """One call."""

    id: Annotated[str, Field(description="UUIDv5 of `organization_id/call_id`")]
    agent_id: str | None
    call_id: str
    organization_id: str
    call_status: CallStatus
    call_type: Annotated[str | None, Field(examples=["PHONE_CALL", "WEB_CALL"])]
    direction: Annotated[str | None, Field(examples=["INBOUND", "OUTBOUND"])]
    from_number: str | None
    to_number: str | None
    start_timestamp: int | None
    end_timestamp: int | None
    call_duration: float | None
    disconnection_reason: str | None
    recording_url: str | None
    public_log_url: str | None
    opt_out_sensitive_data_storage: bool
    metadata: dict[str, Any]
    events: list[TimelineEntry]
    transcript: str
    transcript_object: list[Turn]
    transcript_with_tool_calls: list[Turn | ToolCallInvocation | ToolCallResult]
    latency: dict[str, Percentiles] | None
    call_analysis: dict[str, Any] | None
    call_cost: CallCost | None
    telephony_identifier: TelephonyIds | None
