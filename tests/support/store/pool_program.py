"""A program with a pool, for tests that kill it: prints the id of the process that folds, and waits for ever."""

import asyncio
import tempfile
from pathlib import Path

from shared.fold_pool.pool import FoldPool
from shared.fold_pool.settings import PoolSettings
from tests.support.events.makers import book
from tests.support.eventually import eventually
from tests.support.store.failing_stores import HANGS, OpensFailingStore
from tests.support.store.processes import children


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        hanging = Path(folder) / "hanging"
        pool = FoldPool(PoolSettings(), OpensFailingStore(hanging=hanging), book())
        reading = asyncio.create_task(pool.read(HANGS))
        await eventually(hanging.exists)
        print(children()[0].pid, flush=True)  # noqa: T201 - for the test
        await reading


if __name__ == "__main__":
    asyncio.run(main())
