"""Where the last fetch that found nothing new found the end of each partition, and when it was sent."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer.fetcher import Fetcher
from faust.types import TP

from shared.process.clock import now_ms


@dataclass(frozen=True, slots=True)
class ReadEnd:
    """All that had arrived by `sent` (Unix milliseconds, by the worker's clock) lies before `position`."""

    position: int
    sent: int


def record_ends(
    fetcher: Fetcher,
    ends: MutableMapping[TP, ReadEnd],
    clock: Callable[[], int],
    local: Callable[[], int] = now_ms,
) -> None:
    """Let the fetcher record in `ends` what its fetches find; those that are not answered change nothing.

    `local` is the machine's clock, by which aiokafka records when an answer came.
    """
    fetch = fetcher._proc_fetch_request  # noqa: SLF001 - nothing else knows when a fetch was sent

    async def recorded(assignment: Any, node_id: int, request: Any) -> bool:
        # The broker looks at its partitions between the moment at which it is asked and the one of the answer.
        sent, asked = clock(), local()
        has_records: bool = await fetch(assignment, node_id, request)
        for topic, parts in request.topics:
            for number, offset, _ in parts:
                if _at_end(assignment.state_value(TP(topic, number)), offset, asked):
                    ends[TP(topic, number)] = ReadEnd(offset, sent)
        return has_records

    fetcher._proc_fetch_request = recorded  # noqa: SLF001


def _at_end(state: Any, offset: int, asked: int) -> bool:
    """Return whether a partition was answered for after `asked`, and nothing lies behind `offset`.

    Not even a record of an open transaction, which cannot be read yet: it has arrived.
    """
    return (
        state is not None
        and (state.timestamp or 0) > asked
        and state.has_valid_position
        and state.position == offset
        and state.highwater is not None
        and state.highwater <= offset
    )
