"""A mutant worker is killed when it has acknowledged all: the result of the next worker must be wrong."""

import asyncio
from pathlib import Path

import pytest

from shared.contract.topics import Topics
from tests.support.events.records import by_call
from tests.support.eventually import eventually
from tests.support.worker.mutant_worker import VARIABLE, Mutant
from tests.support.worker.takeover import Verdict, takeover
from tests.support.worker.takeover_load import earlier, later


@pytest.mark.timeout(900)
async def test_the_verdict_of_a_takeover_finds_each_mutant(
    kafka_bootstrap: str, mongo_uri: str, name: str, tmp_path: Path
) -> None:
    async def run(mutant: Mutant) -> Verdict:
        async with takeover(kafka_bootstrap, mongo_uri, Topics(f"{name}-{mutant}"), tmp_path) as load:
            first = load.place.worker("tests.support.worker.mutant_worker", **{VARIABLE: mutant})
            await eventually(load.place.committed, within=120)
            first.kill()
            return await load.finished()

    verdicts = await asyncio.gather(*map(run, Mutant))

    found = dict(zip(Mutant, verdicts, strict=True))
    every_call = by_call(earlier() + later()).keys()
    assert all(verdict.wrong_records == every_call for verdict in verdicts)
    assert found[Mutant.TAKES_AN_OUTAGE_FOR_INVALID_EVENTS].wrong_dead_letters
