"""Where the last fetch that found nothing new found the end of each partition, and when it was sent."""

import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer.fetcher import Fetcher
from faust.types import TP


@dataclass(frozen=True, slots=True)
class ReadEnd:
    """All that had arrived by `sent` (Unix milliseconds, by the worker's clock) lies before `position`."""

    position: int
    sent: int


def record_ends(
    fetcher: Fetcher,
    ends: MutableMapping[TP, ReadEnd],
    answered: MutableMapping[TP, float],
    clock: Callable[[], int],
) -> None:
    """Let the fetcher record in `ends` what its fetches find, and in `answered` when (monotonic seconds).

    A fetch that is not answered changes nothing.
    """
    fetch = fetcher._proc_fetch_request  # noqa: SLF001 - nothing else knows when a fetch was sent

    async def recorded(assignment: Any, node_id: int, request: Any) -> bool:
        asked = [(TP(topic, number), offset) for topic, parts in request.topics for number, offset, _ in parts]
        states = {tp: assignment.state_value(tp) for tp, _ in asked}
        for state in states.values():
            if state is not None:
                state.timestamp = None  # an answer sets it again; not by a comparison, as clocks may be set back
        # The broker looks at its partitions between the moment at which it is asked and the one of the answer.
        sent = clock()
        has_records: bool = await fetch(assignment, node_id, request)
        for tp, offset in asked:
            state = states[tp]
            if state is not None and state.timestamp is not None:
                answered[tp] = time.monotonic()
                if _at_end(state, offset):
                    ends[tp] = ReadEnd(offset, sent)
        return has_records

    fetcher._proc_fetch_request = recorded  # noqa: SLF001


def _at_end(state: Any, offset: int) -> bool:
    """Return whether nothing lies behind `offset`.

    Not even a record of an open transaction, which cannot be read yet: it has arrived.
    """
    return (
        state.has_valid_position
        and state.position == offset
        and state.highwater is not None
        and state.highwater <= offset
    )
