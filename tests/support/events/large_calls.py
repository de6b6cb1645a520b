"""Calls of many turns, and writing them to the event log without a worker."""

from collections.abc import Iterator, Sequence

from shared.process.clock import now_ms
from shared.store.ids import documents
from shared.store.models import CallUpdate, SourcePartition
from shared.store.ports import Store
from tests.support.events.makers import STARTED, Json, event, raw
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY, logged

_PER_DOCUMENT = 2_000
_LINE = "Thank you for waiting. It cost $27, as I said, and the rest of it comes to your address on Thursday. "


def long_call(turns: int, call: str = CALL, *, line: str = _LINE * 3) -> list[Json]:
    """Return an ended call with this number of turns, one per second."""
    organization, name = call.split("/")
    owner = {"call": name, "organization": organization}
    events = [event("call.started", at=STARTED, id="start", direction="inbound", **owner)]
    for number in range(turns):
        role = ("agent", "user")[number % 2]
        at = STARTED + number * 1_000
        events.append(event("transcript.turn", at=at, id=f"{number}", role=role, content=f"{number} {line}", **owner))
    events.append(event("call.ended", at=STARTED + turns * 1_000, id="end", **owner))
    return events


async def put_large(
    store: Store, bodies: Sequence[Json], call: str = CALL, *, partition: int = 0, stale: bool = True
) -> None:
    """Write a call to the event log as a worker would; `stale`: it is due for a fold."""
    for number, part in enumerate(_parts([raw(body) for body in bodies])):
        first = number * _PER_DOCUMENT
        await store.insert(
            list(documents(call, SourcePartition("calls.t", partition), logged(part, first), LOG_ID_HMAC_KEY))
        )
    await store.mark_stale([CallUpdate(call, partition, now_ms(), stale=stale)])


def _parts(events: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(events), _PER_DOCUMENT):
        yield events[start : start + _PER_DOCUMENT]
