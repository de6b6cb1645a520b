"""The ends of a call: how each stands, and why, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.console.call.names import anchor
from shared.fold.call import Call
from shared.fold.details import Details
from shared.fold.lifecycle.end import End
from shared.fold.lifecycle.ends import is_general

_WHY = {
    "inferred": "An inferred end counts only where no real end does, and only if nothing happened after it.",
    "leg": "The end of one leg. It counts only when every connected leg is over.",
    "undone": "A later call.started undoes it: the call, or the leg, went on.",
    "overruled": "A later end counts instead: there was talk in between, or it tells of the whole call.",
}


@dataclass(frozen=True, slots=True)
class EndRow:
    """An end: `standing` is a word of docs/record.md, `why` a sentence; `anchor` is its entry's id."""

    moment: int
    type: str
    reason: str
    leg: str | None
    source: str
    standing: str
    why: str
    anchor: str


def end_rows(call: Call, details: Details) -> list[EndRow]:
    """Return the ends in order."""
    return [
        EndRow(
            moment=end.moment,
            type=end.event.type,
            reason=_reason(end),
            leg=end.leg,
            source=end.source,
            standing=detail["standing"],
            why=" ".join(why(call, end, detail["standing"])),
            anchor=anchor(end.event),
        )
        for end, detail in zip(call.ends.all, details["ends"], strict=True)
    ]


def why(call: Call, end: End, standing: str) -> Iterator[str]:
    """Yield sentences that say why an end stands as it does."""
    final, left = call.ends.final, call.ends.left
    if standing == "final":
        yield _why_final(end, left)
    elif standing == "counts" and final is not None:
        yield f"It counts, but the final end comes before it: {difference(final, end)}."
    else:
        yield _WHY.get(standing, "It counts.")


def _why_final(end: End, left: Sequence[End]) -> str:
    others = [other for other in left if other is not end]
    if not others:
        return "The only end that counts."
    differences = dict.fromkeys(difference(end, other) for other in others)
    return f"Of {len(left)} ends that count it comes first: {'; '.join(differences)}."


def difference(final: End, other: End) -> str:
    """Return by which rule an end comes before another, the first that tells them apart."""
    if is_general(_reason(final)) != is_general(_reason(other)):
        return "a specific reason comes before a general one"
    if (final.leg is None) != (other.leg is None):
        return "an end of the whole call comes before one of a leg"
    if final.event.type != other.event.type:
        return "call.failed comes before call.ended"
    return "the later end comes before an earlier one"


def _reason(end: End) -> str:
    reason: str = end.event.data.get("disconnection_reason", "unknown")
    return reason
