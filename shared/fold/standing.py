"""What becomes of each event that was delivered, by the rules that fold the call: it counts, or why it does not."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from shared.contract.decode_event import Event
from shared.fold.conversation.latency import standing_samples
from shared.fold.conversation.turns import turns_of
from shared.fold.cost import latest_costs, standing_usage
from shared.fold.events import CallEvents, as_counted, bodies_of, by_identity, latest_of_each


class Standing(StrEnum):
    """What becomes of an event of the log."""

    COUNTS = "counts"
    COPY = "copy"
    """Another delivery of a body that counts, or that lost."""
    LOST = "lost"
    """Another body with the same `source` and `id` counts instead."""
    SUPERSEDED = "superseded"
    """A later event of the same `turn_id`, `usage_id`, `line_id`, `sample_id` or `recording_id` takes its place.

    Or a retraction takes the turn away.
    """
    INVALID = "invalid"
    """The present rules refuse it; those by which it was written did not."""


Identity = tuple[str, str]


def standings(
    events: Sequence[Event], superseded: Collection[Identity], *, opted_out: bool
) -> list[tuple[Event, Standing]]:
    """Return each event as it is counted, redacted if the call has opted out, and its standing; in the given order."""
    counted, _ = as_counted(events, opted_out=opted_out)
    standing: dict[int, Standing] = {}  # by the address of the event: two deliveries may be equal
    for identity, same in by_identity(counted).items():
        winner, *lost = bodies_of(same)
        first = Standing.SUPERSEDED if identity in superseded else Standing.COUNTS
        standing |= _of_copies(winner.event, winner.copies, first)
        for body in lost:
            standing |= _of_copies(body.event, body.copies, Standing.LOST)
    return [(event, standing[id(event)]) for event in counted]


def _of_copies(chosen: Event, copies: Sequence[Event], standing: Standing) -> Mapping[int, Standing]:
    first = next(event for event in copies if event.raw == chosen.raw)
    return {id(event): standing if event is first else Standing.COPY for event in copies}


def superseded(call: CallEvents) -> set[Identity]:
    """Return the identities of the events that count in no sum or list because a later one does."""
    turns = turns_of(call)
    standing: Mapping[str, Iterable[Event]] = {
        "transcript.turn": [turn.event for turn in (*turns.final, *turns.unfinished)],
        "usage.reported": standing_usage(call),
        "cost.reported": latest_costs(call),
        "latency.sampled": standing_samples(call),
        "recording.available": latest_of_each(call.of("recording.available"), "recording_id"),
    }
    return {
        event.identity
        for kind, of_kind in standing.items()
        for event in _without(call.carrying(kind), {event.identity for event in of_kind})
    }


def _without(events: Iterable[Event], standing: set[Identity]) -> Iterable[Event]:
    return (event for event in events if event.identity not in standing)
