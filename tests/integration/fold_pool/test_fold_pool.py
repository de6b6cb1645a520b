"""The processes of the pool: one that ends takes no other with it, and none outlives its program."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from shared.calls.large_calls import LargeReading, OutOfMemory, PoolUnavailable, ProcessEnded
from shared.fold_pool.pool import FoldPool
from shared.fold_pool.settings import PoolSettings
from tests.support.events.makers import book
from tests.support.eventually import eventually
from tests.support.store.failing_stores import DIES, HANGS, IS_HUNGRY, OpensFailingStore
from tests.support.store.processes import children

NONE = "o/none"
MakePool = Callable[..., FoldPool]


@pytest.fixture
async def make_pool() -> AsyncIterator[MakePool]:
    async with AsyncExitStack() as made:

        def make(opens: OpensFailingStore | None = None, **settings: float) -> FoldPool:
            chosen = PoolSettings.model_validate({f"pool_{name}": value for name, value in settings.items()})
            pool = FoldPool(chosen, opens or OpensFailingStore(), book())
            made.push_async_callback(pool.close)
            return pool

        yield make


async def test_a_process_is_started_on_demand_and_used_again(make_pool: MakePool) -> None:
    pool = make_pool()
    before = children()

    await asyncio.gather(*(pool.read(NONE) for _ in range(3)))

    assert (before, len(children())) == ([], 1)
    await pool.close()
    assert children() == []


async def hangs(pool: FoldPool, file: Path) -> asyncio.Task[LargeReading | None]:
    """Return a read once its process hangs in it."""
    reading = asyncio.create_task(pool.read(HANGS))
    await eventually(file.exists)
    return reading


async def test_a_killed_process_fails_its_own_call_and_no_other(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(OpensFailingStore(hanging=tmp_path / "hanging"))
    hanging, waiting = await hangs(pool, tmp_path / "hanging"), asyncio.create_task(pool.read(NONE))

    children()[0].kill()

    with pytest.raises(ProcessEnded, match="SIGKILL"):
        await hanging
    assert await waiting is None


async def test_a_process_that_is_killed_while_idle_fails_no_call(make_pool: MakePool) -> None:
    pool = make_pool()
    await pool.read(NONE)
    (idle,) = children()

    idle.kill()

    assert await pool.read(NONE) is None


@pytest.mark.parametrize(
    ("call", "bounds", "error", "message"),
    [
        (HANGS, {"seconds": 1}, ProcessEnded, "CALLFOLD_POOL_SECONDS=1"),
        (IS_HUNGRY, {"memory_mb": 200}, OutOfMemory, "CALLFOLD_POOL_MEMORY_MB=200"),
        (DIES, {}, ProcessEnded, "SIGABRT"),
    ],
)
async def test_a_fold_has_limits_and_the_next_call_is_folded_after_it(
    make_pool: MakePool, call: str, bounds: dict[str, float], error: type[Exception], message: str
) -> None:
    pool = make_pool(**bounds)

    with pytest.raises(error, match=message):
        await pool.read(call)

    assert await pool.read(NONE) is None
    assert len(children()) == 1


async def test_a_fold_whose_reader_is_cancelled_is_ended(make_pool: MakePool, tmp_path: Path) -> None:
    hanging = await hangs(make_pool(OpensFailingStore(hanging=tmp_path / "hanging")), tmp_path / "hanging")

    hanging.cancel()

    with pytest.raises(asyncio.CancelledError):
        await hanging
    await eventually(lambda: not children())


async def test_a_pool_that_is_closed_ends_its_processes_and_starts_no_other(
    make_pool: MakePool, tmp_path: Path
) -> None:
    pool = make_pool(OpensFailingStore(hanging=tmp_path / "hanging"))
    hanging, waiting = await hangs(pool, tmp_path / "hanging"), asyncio.create_task(pool.read(NONE))
    await asyncio.sleep(0)  # so that it waits for the process

    await pool.close()

    with pytest.raises(ProcessEnded):
        await hanging
    with pytest.raises(PoolUnavailable):
        await waiting
    assert children() == []


async def test_a_process_that_cannot_start_makes_the_pool_unavailable(make_pool: MakePool) -> None:
    with pytest.raises(PoolUnavailable, match="does not start"):
        await make_pool(OpensFailingStore(fails=True)).read(NONE)

    assert children() == []


async def test_no_secret_is_on_a_command_line_and_the_process_has_a_low_priority(make_pool: MakePool) -> None:
    await make_pool(OpensFailingStore(key="hunter2")).read(NONE)

    (process,) = children()

    assert "hunter2" not in " ".join(process.cmdline())
    assert process.nice() > psutil.Process().nice()


async def test_no_process_outlives_a_killed_program_even_during_a_fold() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.store.pool_program", stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    process = psutil.Process(int(await program.stdout.readline()))

    alone = os.getpgid(process.pid) != os.getpgid(program.pid)
    program.kill()
    await program.wait()

    await eventually(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    assert alone  # a signal to the program's process group, such as Ctrl-C, does not reach it
