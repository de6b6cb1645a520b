"""The details of a call as the API returns them; the order of their keys is part of the contract.

Times are Unix milliseconds, durations seconds unless a field's name says milliseconds, money the price book's currency.
"""

from typing import Any

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from shared.fold.record import SpokenWord


class LegDetail(TypedDict):
    """A leg; `ended_at`, `disconnection_reason` and `duration` (seconds) are null while it goes on."""

    leg_id: str
    started_at: int | None
    ended_at: int | None
    disconnection_reason: str | None
    duration: float | None
    from_number: str | None
    to_number: str | None
    answered_by: str | None


class RecordingDetail(TypedDict):
    """A recording, as its latest event describes it."""

    recording_id: str | None
    recording_url: str | None
    channel: str | None
    leg_id: str | None
    available_at: int
    duration_ms: int | None
    expires_at: int | None


class TurnDetail(TypedDict):
    """A standing turn with all its fields; `source` and `id` are those of its event."""

    source: str
    id: str
    turn_id: str | None
    revision: int
    final: bool
    role: str
    content: str
    timestamp: int
    end_timestamp: int | None
    words: list[SpokenWord]
    interrupted: bool | None
    speaker: str | None
    channel: str | None
    language: str | None
    confidence: float | None
    leg_id: str | None
    metadata: dict[str, Any] | None


class ToolCallDetail(TypedDict):
    """A call of a tool with its result; what is not known of either is null."""

    tool_call_id: str | None
    name: str | None
    arguments: str | None
    called_at: int | None
    returned_at: int | None
    duration_ms: int | None
    content: str | None
    successful: bool | None
    error: str | None


class UsageDetail(TypedDict):
    """Standing usage."""

    source: str
    usage_id: str | None
    product: str
    quantity: float
    unit: str | None


class CostDetail(TypedDict):
    """A standing cost that a provider states; `counted` is false where it is left out."""

    source: str
    line_id: str | None
    kind: str
    product: str
    cost: float | None
    currency: str | None
    quantity: float | None
    unit: str | None
    unit_price: float | None
    leg_id: str | None
    counted: bool


class TransferDetail(TypedDict):
    """A transfer: the latest of each of its fields, `at` the time of its first event."""

    transfer_id: str | None
    destination: str | None
    mode: str | None
    status: str | None
    leg_id: str | None
    at: int


class EndDetail(TypedDict):
    """An end, and how it stands: `final`, `inferred`, `leg`, `undone`, `overruled` or `counts`."""

    source: str
    id: str
    moment: int
    reason: str | None
    leg_id: str | None
    standing: str


class EventName(TypedDict):
    """What names an event of the call."""

    source: str
    id: str
    type: str


class ProblemDetail(TypedDict):
    """A problem; `event` is null where it is one of the call as a whole."""

    kind: str
    event: EventName | None
    field: str | None
    detail: str


class Details(TypedDict):
    """The details of a call, but for its finality and versions; at most 100 problems are listed."""

    call_id: str
    organization_id: str
    event_count: int
    conflict_count: int
    legs: list[LegDetail]
    recordings: list[RecordingDetail]
    turns: list[TurnDetail]
    tool_calls: list[ToolCallDetail]
    usage: list[UsageDetail]
    costs: list[CostDetail]
    transfers: list[TransferDetail]
    ends: list[EndDetail]
    problem_count: int
    problems: list[ProblemDetail]
