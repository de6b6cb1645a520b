"""Reading the events of a call as the log has them, and what the fold makes of each."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.calls.decode_document import decode_document
from shared.contract.decode_event import Event, InvalidEvent
from shared.contract.problems import ProblemKind
from shared.fold.call import call_of
from shared.fold.prices import PriceBook
from shared.fold.redaction import redact
from shared.fold.standing import Identity, Standing, standings, superseded
from shared.store.ids import place_of
from shared.store.models import LogDocument, SourcePartition
from shared.store.ports import Store
from shared.store.states import State


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event was consumed: at an offset from `first` to `last`, which are the same where it is known."""

    source: SourcePartition
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event of the log; `raw` and `event` are redacted if the call has opted out.

    `problems` are the kinds of problems that the fold found in it.
    """

    place: Place
    raw: bytes
    event: Event | InvalidEvent
    standing: Standing
    problems: Sequence[ProblemKind] = ()


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """The events of a call in the order of the fold, invalid ones last; `failed` is the fold's error if it raises."""

    events: Sequence[LoggedEvent]
    opted_out: bool
    failed: Exception | None


async def read_events(store: Store, call: str, book: PriceBook) -> LoggedCall | None:
    """Return the events of a call (`<organization_id>/<call_id>`), None if there is no such call, or it is deleted.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    documents = (await store.read([call]))[call]
    state = (await store.read_states([call])).get(call)
    if not documents or (state is not None and state.state is State.DELETED):
        return None
    delivered = list(_delivered(documents))
    valid = [(place, event) for place, _, event in delivered if isinstance(event, Event)]
    invalid = [(place, raw, event) for place, raw, event in delivered if isinstance(event, InvalidEvent)]
    opted_out = (state is not None and state.opted_out) or any(event.opts_out for _, event in valid)
    fold = _fold([event for _, event in valid], book, opted_out=opted_out)
    standing = standings([event for _, event in valid], fold.superseded, opted_out=opted_out)
    placed = [(place, event, what) for (place, _), (event, what) in zip(valid, standing, strict=True)]
    placed.sort(key=lambda each: (each[1].ordering_key, each[2] is Standing.COPY))
    found = [
        LoggedEvent(place, event.raw, event, what, _problems_of(fold, event, what)) for place, event, what in placed
    ]
    found += [
        LoggedEvent(place, redact(raw) if opted_out else raw, event, Standing.INVALID) for place, raw, event in invalid
    ]
    return LoggedCall(found, opted_out, fold.failed)


@dataclass(frozen=True, slots=True)
class _Fold:
    """What a fold finds of single events, by their identities."""

    problems: Mapping[Identity, Sequence[ProblemKind]] = field(default_factory=dict)
    superseded: Collection[Identity] = ()
    failed: Exception | None = None


def _fold(events: Sequence[Event], book: PriceBook, *, opted_out: bool) -> _Fold:
    if not events:
        return _Fold()
    try:
        call = call_of(events, book, opted_out=opted_out)
        replaced = superseded(call.events)
    except Exception as error:  # noqa: BLE001 - the events of a call that cannot be folded are those to look at
        return _Fold(failed=error)
    problems: dict[Identity, list[ProblemKind]] = {}
    for problem in call.problems:
        if problem.event is not None:
            problems.setdefault(problem.event.identity, []).append(problem.kind)
    return _Fold(problems, replaced)


def _problems_of(fold: _Fold, event: Event, standing: Standing) -> Sequence[ProblemKind]:
    """Return the problems of an event: a conflict is of the body that lost, all others are of the one that counts."""
    kinds = fold.problems.get(event.identity, ())
    match standing:
        case Standing.LOST:
            return [kind for kind in kinds if kind is ProblemKind.CONFLICT][:1]
        case Standing.COUNTS | Standing.SUPERSEDED:
            return [kind for kind in kinds if kind is not ProblemKind.CONFLICT]
        case _:
            return ()


def _delivered(documents: Sequence[LogDocument]) -> Iterator[tuple[Place, bytes, Event | InvalidEvent]]:
    for document in documents:
        source, first, last = place_of(document.id)
        known = last - first + 1 == len(document.events)
        for number, (raw, event) in enumerate(zip(document.events, decode_document(document), strict=True)):
            exact = first + number if known else {0: first, len(document.events) - 1: last}.get(number)
            # Between its neighbours in the document were events of other calls.
            place = Place(source, first, last) if exact is None else Place(source, exact, exact)
            yield place, raw, event
