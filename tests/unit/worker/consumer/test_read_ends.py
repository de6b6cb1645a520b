"""Which fetches find the end of a partition."""

# ruff: noqa: SLF001 - what the worker leans on inside aiokafka is the point here

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.subscription_state import TopicPartitionState
from faust.types import TP

from services.worker.consumer.read_ends import ReadEnd, record_ends

TP0 = TP("calls", 0)
SENT, POSITION = 5_000, 100
AHEAD = 3_600_000  # the worker's clock need not be the machine's


async def found(**answer: Any) -> dict[TP, ReadEnd]:
    """Return what is recorded after a fetch at `POSITION`, during which this became of the partition's state.

    The fetch before was answered at a time that lies ahead: the machine's clock was set back since.
    """
    state = SimpleNamespace(timestamp=SENT + 3_600_000, has_valid_position=True, position=POSITION, highwater=POSITION)
    ends: dict[TP, ReadEnd] = {}

    async def fetch(*_: object) -> bool:
        vars(state).update(answer)
        return False

    fetcher: Any = SimpleNamespace(_proc_fetch_request=fetch)
    answered: dict[TP, float] = {}
    record_ends(fetcher, ends, answered, clock=lambda: SENT + AHEAD)
    request = SimpleNamespace(topics=[("calls", [(0, POSITION, 1_024)])])
    await fetcher._proc_fetch_request(SimpleNamespace(state_value={TP0: state}.get), 1, request)
    assert (TP0 in answered) is (answer.get("timestamp") is not None)
    return ends


async def test_a_fetch_with_nothing_new_finds_the_end_as_it_was_when_it_was_sent() -> None:
    ends = await found(timestamp=SENT + 100)

    assert ends == {TP0: ReadEnd(POSITION, SENT + AHEAD)}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"timestamp": SENT + 100, "highwater": POSITION + 1},
        {"timestamp": SENT + 100, "highwater": None},
        {"timestamp": SENT + 100, "position": POSITION - 50},
        {"timestamp": SENT + 100, "has_valid_position": False},
    ],
    ids=["not answered", "more", "not known", "read again from before", "reset"],
)
async def test_other_fetches_find_no_end(answer: dict[str, Any]) -> None:
    assert await found(**answer) == {}


async def test_the_attributes_of_aiokafka_that_are_read_exist() -> None:
    read = ("timestamp", "has_valid_position", "highwater")

    state = TopicPartitionState(None)

    assert [name for name in read if not hasattr(state, name)] == []
    assert isinstance(TopicPartitionState.position, property)
