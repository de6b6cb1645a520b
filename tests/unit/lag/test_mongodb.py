"""The timed write: what is known of MongoDB after it."""

import itertools

import pytest
from structlog.testing import capture_logs

from shared.lag.models import Health
from shared.lag.mongodb import Write, timed_write
from shared.store.memory.write_probe import MemoryWriteProbe


class SurprisingProbe:
    async def write(self) -> None:
        raise ValueError("a surprise")


async def test_after_an_internal_error_nothing_is_known_of_mongodb_and_it_is_logged() -> None:
    with capture_logs() as logged:
        found = await timed_write(SurprisingProbe(), Write())

    assert found == Write()
    assert [entry["event"] for entry in logged] == ["timed_write_failed"]


@pytest.mark.parametrize("before", [Write(), Write(Health.UNAVAILABLE, error="no answer in time")])
async def test_a_write_that_has_to_connect_has_no_time(before: Write) -> None:
    seconds = itertools.count(step=2.0).__next__

    first = await timed_write(MemoryWriteProbe(), before, seconds)
    second = await timed_write(MemoryWriteProbe(), first, seconds)

    assert first == Write(Health.WELL)
    assert second == Write(Health.SLOW, 2.0)
