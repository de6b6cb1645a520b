"""The values that can be explained: how each is found in a record, from which events it can come, and its rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contract.decode_event import Event
from shared.fold.events import is_set
from shared.fold.facts import STATING
from shared.fold.lifecycle.ends import ACTIVITY
from shared.fold.lifecycle.session import ENDS
from shared.fold.record import Record

Json = Mapping[str, Any]
Types = Sequence[str]

_STARTED = "call.started"
_TURNS = ("transcript.turn", "transcript.retracted")
_COSTS = (*ENDS, *STATING, *ACTIVITY, "usage.reported", "cost.reported")


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the record.

    `value` finds it, None where it is not set. `types`: the types of events that it comes from, first those that
    suffice in most calls; if the events of all of them do not give the value, the others of the call are taken too.
    `states`: whether an event states the value. `section` is the part of the page that shows it.
    """

    label: str
    rule: str
    value: Callable[[Record], Any]
    types: Sequence[Types]
    states: Callable[[Event], bool]
    section: str = "facts"


_SETTLED = (
    "The latest value that an event states which names no leg; else the latest of the first leg that states it. "
    "Null and an empty text state nothing."
)
_MERGED = "Merged key by key: of each key the latest value that an event states which names no leg, else that of a leg."
_RULES = {
    "call_status": (
        "ENDED or ERROR if there is a final end, as it is call.ended or call.failed. Else ONGOING if there is an "
        "activity. Else REGISTERED, or SCHEDULED while it is only planned."
    ),
    "disconnection_reason": (
        "That of the final end: of the ends that count, a specific reason comes before a general one, then the whole "
        "call before a leg, then call.failed before call.ended, then the latest."
    ),
    "end_timestamp": (
        "What the final end states; else the earliest moment, at most 30 s before the final end's, of the other ends "
        "that count and name the same leg or likewise none."
    ),
    "call_duration": (
        "The duration_ms of the final end, else of another that counts; else from the session's start to the end, less "
        "the gaps in which nobody was connected."
    ),
    "start_timestamp": (
        "The latest start_timestamp that an event other than call.scheduled states; else the session's start, which is "
        "the earliest call.started, without one the earliest turn; else the planned one."
    ),
    "opt_out_sensitive_data_storage": "True once any event says so, whatever else it is; never false again.",
    "recording_url": f"{_SETTLED} recording.available states one too.",
}
_TYPES: Mapping[str, Sequence[Types]] = {
    "call_status": (ENDS, (*ENDS, *ACTIVITY), (*ENDS, *ACTIVITY, *STATING)),
    "disconnection_reason": (ENDS, (*ENDS, _STARTED), (*ENDS, *ACTIVITY)),
    "end_timestamp": (ENDS, (*ENDS, _STARTED), (*ENDS, *ACTIVITY)),
    "call_duration": ((*ENDS, _STARTED), (*ENDS, *ACTIVITY, *STATING)),
    "start_timestamp": (STATING, (*STATING, *_TURNS), (*STATING, *ENDS, *ACTIVITY)),
    "recording_url": ((*STATING, "recording.available"),),
    "opt_out_sensitive_data_storage": (),
}
_OF_ENDS = ("call_status", "disconnection_reason", "end_timestamp", "call_duration")
_LABELS = {
    "call_status": "Status",
    "from_number": "From",
    "to_number": "To",
    "disconnection_reason": "Reason of the end",
    "start_timestamp": "Start",
    "end_timestamp": "End",
    "call_duration": "Duration",
    "opt_out_sensitive_data_storage": "Opted out of storage",
    "recording_url": "Recording",
    "public_log_url": "Log",
    "agent_id": "Agent",
    "call_type": "Type",
    "direction": "Direction",
}


def field_of(name: str) -> Field | None:
    """Return the field of a name such as `call_status`, `metadata.customer` or `latency.e2e`; None if there is none."""
    whole, _, key = name.partition(".")
    if key:
        return _of_group(whole, key)
    if whole == "call_cost":
        rule = "The sum of its lines. Each is a quantity that an event reports, times its unit price, or a stated cost."
        return Field("Cost", rule, lambda record: record["call_cost"], (_COSTS,), _rated, "cost")
    if whole not in _LABELS:
        return None
    types = _TYPES.get(whole, (STATING,))
    return Field(_LABELS[whole], _RULES.get(whole, _SETTLED), _at(whole), types, _states_value(whole))


def _of_group(group: str, key: str) -> Field | None:
    match group:
        case "metadata" | "telephony_identifier":
            return Field(key, _MERGED, _below(group, key), (STATING,), _holding(group, key))
        case "call_analysis":
            rule = "The analyses merged by top-level key, the latest value of each."
            states = _holding("analysis", key)
            return Field(key, rule, _below(group, key), (("call.analyzed",),), states)
        case "latency":
            rule = "All samples of the component that stand: of one sample_id the latest. Percentiles interpolate."
            states = _sampling(key)
            return Field(f"Latency {key}", rule, _below(group, key), (("latency.sampled",),), states, "latency")
        case "call_cost":
            rule = (
                "A charge that a provider states replaces our own line; else quantity times unit price of the usage "
                "that stands, or the billed seconds ÷ 60 times the price per minute. Adjustments are added."
            )
            return Field(f"Cost of {key}", rule, _line(key), (_COSTS,), _of_product(key), "cost")
        case _:
            return None


def _at(name: str) -> Callable[[Record], Any]:
    return lambda record: record[name]  # type: ignore[literal-required]


def _below(group: str, key: str) -> Callable[[Record], Any]:
    return lambda record: (record[group] or {}).get(key)  # type: ignore[literal-required]


def _line(product: str) -> Callable[[Record], Any]:
    def found(record: Record) -> Any:
        cost = record["call_cost"]
        lines = cost["product_costs"] if cost else []
        return next((line for line in lines if line["product"] == product), None)

    return found


def _states_value(name: str) -> Callable[[Event], bool]:
    if name in _OF_ENDS:
        return lambda event: event.type in ENDS
    if name == "start_timestamp":
        return lambda event: event.type == _STARTED or _stated(event, name)
    if name == "opt_out_sensitive_data_storage":
        return lambda event: event.opts_out
    return lambda event: _stated(event, name)


def _stated(event: Event, name: str) -> bool:
    types = (*STATING, "recording.available") if name == "recording_url" else STATING
    return event.type in types and is_set(event.data.get(name))


def _holding(name: str, key: str) -> Callable[[Event], bool]:
    types = ("call.analyzed",) if name == "analysis" else STATING
    return lambda event: event.type in types and is_set((event.data.get(name) or {}).get(key))


def _sampling(component: str) -> Callable[[Event], bool]:
    return lambda event: event.type == "latency.sampled" and event.data.get("component") == component


def _rated(event: Event) -> bool:
    return event.type in {"usage.reported", "cost.reported", *ENDS}


def _of_product(product: str) -> Callable[[Event], bool]:
    return lambda event: _rated(event) and event.data.get("product", product) == product
