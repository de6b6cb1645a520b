"""A worker dies at a crash point and another takes over: nothing is lost, wrong, or left unredacted."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from shared.contract.topics import Topics
from tests.support.worker.crash_points import VARIABLE, CrashPoint
from tests.support.worker.takeover import ALL_RIGHT, Verdict, died, takeover

pytestmark = pytest.mark.timeout(900)

_AT_THE_SAME_TIME = 4

Run = asyncio.Task[Verdict]


@pytest.fixture(scope="module")
async def runs(
    request: pytest.FixtureRequest, kafka_bootstrap: str, mongo_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[CrashPoint, Run]]:
    """Return a run for each point that is asked for: several at a time, for most of a run is waiting."""
    turn = asyncio.Semaphore(_AT_THE_SAME_TIME)

    async def run(point: CrashPoint) -> Verdict:
        folder = tmp_path_factory.mktemp(point)
        async with turn, takeover(kafka_bootstrap, mongo_uri, Topics(folder.name), folder) as load:
            first = load.place.worker("tests.support.worker.crashing_worker", **{VARIABLE: point})
            await died(first, point.exit_status)
            return await load.finished()

    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = [CrashPoint(str(item.callspec.params["point"])) for item in items if item.module is request.module]
    running = {point: asyncio.create_task(run(point)) for point in asked}
    yield running
    for task in running.values():
        task.cancel()
    await asyncio.gather(*running.values(), return_exceptions=True)


@pytest.mark.parametrize("point", CrashPoint)
async def test_what_a_worker_leaves_that_dies_at_a_point_is_finished_by_another(
    runs: Mapping[CrashPoint, Run], point: CrashPoint
) -> None:
    assert await runs[point] == ALL_RIGHT
