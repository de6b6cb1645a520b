"""An explanation as the page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.console.call.bounds import MOST_CHARACTERS, as_text, pretty
from services.console.call.explain.explanation import Explanation
from services.console.call.explain.fields import field_of
from services.console.call.moments import since
from shared.calls.read_events import LoggedEvent, Place
from shared.contract.decode_event import Event

_PART = "The event itself. Of one turn the highest revision stands; a result belongs to the call of its tool_call_id."


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """A raw event; `why` says why it does not count, where it does not."""

    type: str
    source: str
    id: str
    time: int
    since: str
    place: str
    content: str
    wrong_clock: bool
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ShownExplanation:
    """Where a value comes from; `section` is the part of the page that it stands in, or the id of the part itself."""

    section: str
    label: str
    value: str
    rule: str
    summary: str
    behind: Sequence[ShownEvent]
    others: Sequence[ShownEvent]
    more: int
    more_others: int

    @property
    def size(self) -> int:
        """How many characters its events have."""
        return sum(len(each.content) for each in (*self.behind, *self.others))


def shown(name: str, explanation: Explanation, zero: int) -> ShownExplanation:
    field = field_of(name)
    return ShownExplanation(
        section=name if field is None else field.section,
        label="This entry" if field is None else field.label,
        value=as_text("not set" if explanation.value in (None, "") else explanation.value, MOST_CHARACTERS),
        rule=_PART if field is None else field.rule,
        summary=_summary(explanation, part=field is None),
        behind=[_event(each, zero) for each in explanation.behind],
        others=[_event(other.event, zero, other.why) for other in explanation.others],
        more=explanation.behind_count - len(explanation.behind),
        more_others=explanation.other_count - len(explanation.others),
    )


def _summary(explanation: Explanation, *, part: bool) -> str:
    count = explanation.behind_count
    if count == 0:
        return "No event states it."
    if part:
        return "It comes from this event." if count == 1 else f"It comes from these {count:,} events."
    if not explanation.minimal:
        return f"It comes from these {count:,} events; the search ended before it was sure that each is needed."
    if count == 1:
        return "This event alone gives the value."
    return f"These {count:,} events alone give the value, and none of them can be left out."


def _event(logged: LoggedEvent, zero: int, why: str | None = None) -> ShownEvent:
    event = logged.event
    assert isinstance(event, Event)  # noqa: S101 - invalid ones explain nothing
    key = event.ordering_key
    return ShownEvent(
        type=event.type,
        source=key.source,
        id=key.id,
        time=event.time,
        since=since(event.time, zero),
        place=_place(logged.place),
        content=_content(logged.raw),
        wrong_clock=event.has_wrong_clock,
        why=why,
    )


def _place(place: Place) -> str:
    offsets = f"{place.first}" if place.first == place.last else f"{place.first} to {place.last}"
    return f"{place.source.topic}, partition {place.source.partition}, offset {offsets}"


def _content(raw: bytes) -> str:
    return pretty(raw.decode(errors="replace"))
