"""Runs mutants: most of a run is waiting, so those that compute, that share servers and that have their own overlap."""

import asyncio
import logging
import multiprocessing
import re
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from shared.process import logs
from tests.faults.harness.server_faults import SERVER_FAULTS
from tests.faults.harness.stage import servers
from tests.mutants.catalogue import Mutant
from tests.mutants.proofs import EveryOrder, FaultRun, Means, Takeover
from tests.support.eventually import scaled

Say = Callable[[str], None]

_LONGEST = 300.0
_CONCURRENT = 3


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutant; `wrong` is None if it is as it must be."""

    mutant: Mutant
    wrong: str | None
    seconds: float


async def run(mutants: Sequence[Mutant], say: Say) -> list[Result]:
    """Return the results, in the order of the mutants."""
    sharing = [mutant for mutant in mutants if isinstance(mutant.proof, FaultRun | Takeover)]
    computing = [mutant for mutant in mutants if isinstance(mutant.proof, EveryOrder)]
    others = [mutant for mutant in mutants if mutant not in sharing and mutant not in computing]
    with ExitStack() as running:
        spawn = multiprocessing.get_context("spawn")
        process = running.enter_context(ProcessPoolExecutor(1, spawn, initializer=_quiet))
        shared = running.enter_context(servers(say)) if sharing else None
        means = Means(shared, process)

        async def of_servers() -> list[Result]:
            """Let no fault of the servers disturb another run."""
            calm = [mutant for mutant in sharing if not _has_server_faults(mutant)]
            alone = [mutant for mutant in sharing if _has_server_faults(mutant)]
            return [*await _all(calm, _CONCURRENT, means, say), *await _all(alone, 1, means, say)]

        parts = await asyncio.gather(_all(computing, 1, means, say), of_servers(), _all(others, 1, means, say))
    results = {result.mutant.name: result for part in parts for result in part}
    return [results[mutant.name] for mutant in mutants]


def _has_server_faults(mutant: Mutant) -> bool:
    return isinstance(mutant.proof, FaultRun) and not SERVER_FAULTS.keys().isdisjoint(mutant.proof.kinds)


async def _all(mutants: Sequence[Mutant], concurrent: int, means: Means, say: Say) -> list[Result]:
    turn = asyncio.Semaphore(concurrent)

    async def result(mutant: Mutant) -> Result:
        async with turn:
            began = time.monotonic()
            wrong = await _wrong(mutant, means)
            say(f"{mutant.name}: {wrong or 'as it must be'}")
            return Result(mutant, wrong, time.monotonic() - began)

    return list(await asyncio.gather(*map(result, mutants)))


async def _wrong(mutant: Mutant, means: Means) -> str | None:
    """Return what is wrong with the proof. One that fails, or takes too long, has found nothing."""
    name = re.sub(r"[^a-z0-9]+", "-", mutant.name)
    try:
        async with asyncio.timeout(scaled(_LONGEST)):
            return mutant.verdict(await mutant.proof.findings(name, means))
    except Exception as error:  # noqa: BLE001 - the other mutants are run, whatever it is
        return f"no verdict: {''.join(traceback.format_exception(error))}"


def _quiet() -> None:
    """Let an expected error of a mutant be no line of the log."""
    logs.configure("error", "console")
    logging.disable(logging.CRITICAL)
