"""How a mutant is looked for: each proof returns what it finds wrong, which is nothing if the worker is correct.

`file` is the test that claims the promise, as a path from the root. `findings` returns the kinds of what is wrong; its
`name` is of no other run.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from shared.contract.topics import Topics
from tests.faults.harness.run import Plan, run_on
from tests.faults.harness.stage import Servers
from tests.faults.harness.verdict import Verdict
from tests.model.cases import CASES
from tests.model.interleaving import WrongEnd
from tests.model.mutants import MUTANTS
from tests.model.protocol import CORRECT, explored
from tests.mutants.promises import ROOT
from tests.mutants.worker.mistakes import VARIABLE, Mistake
from tests.support.eventually import eventually
from tests.support.worker import takeover
from tests.support.worker.process import PROGRAM

WORKER = "tests.mutants.worker"

_RATE = 60.0
_SHORT: dict[str, Any] = {"workers": 1, "least_records": 500, "longest_pause": 1.0, "settled_within": 8.0}
"""What a fault run of one mutant is limited to: its first calls have all that is looked for."""


@dataclass(frozen=True, slots=True)
class Means:
    """What proofs need: servers for those that share them, and a process for those that compute."""

    servers: Servers | None
    process: ProcessPoolExecutor


@dataclass(frozen=True, slots=True)
class EveryOrder:
    """A mutant of the protocol, or none, in every order of a case's steps."""

    case: str
    mutant: str | None = None
    file: str = "tests/model/test_interleavings.py"

    async def findings(self, _name: str, means: Means) -> Sequence[str]:
        return await asyncio.get_running_loop().run_in_executor(means.process, wrong_ends, self.case, self.mutant)


def wrong_ends(case: str, mutant: str | None) -> Sequence[str]:
    async def explore() -> Sequence[str]:
        """Explore within a loop, which the fold loop needs for its tasks."""
        try:
            explored(CASES[case], MUTANTS[mutant][0] if mutant else CORRECT)
        except WrongEnd as wrong:
            return [str(wrong).splitlines()[0]]
        return []

    return asyncio.run(explore())


@dataclass(frozen=True, slots=True)
class FaultRun:
    """A run of the fault tests with these faults only, for so many seconds."""

    mistake: Mistake | None = None
    kinds: tuple[str, ...] = ()
    seconds: float = 10.0
    file: str = "tests/faults/test_faults.py"

    async def findings(self, name: str, means: Means) -> Sequence[str]:
        assert means.servers is not None
        program: dict[str, Any] = {"program": WORKER, "mutant": self.mistake} if self.mistake else {}
        plan = Plan(2, self.seconds, _RATE, kinds=self.kinds, **_SHORT, **program)
        report = await run_on(means.servers, name, plan, lambda line: _say(name, line))
        return _wrong(report.verdict)


@dataclass(frozen=True, slots=True)
class Takeover:
    """A worker with a mistake that is killed when all is committed, and a clean one that takes over."""

    mistake: Mistake | None = None
    file: str = "tests/faults/test_crash_points.py"

    async def findings(self, name: str, means: Means) -> Sequence[str]:
        assert means.servers is not None
        folder = means.servers.folder / name
        folder.mkdir()
        verdict = await taken_over(
            self.mistake, means.servers.kafka.address, means.servers.mongo.uri, Topics(name), folder
        )
        return _wrong(verdict)


async def taken_over(
    mistake: Mistake | None, kafka: str, mongo_uri: str, topics: Topics, folder: Path
) -> takeover.Verdict:
    program = (WORKER,) if mistake else ()
    variables = {VARIABLE: mistake} if mistake else {}
    async with takeover.takeover(kafka, mongo_uri, topics, folder) as load:
        first = load.place.worker(*program, **variables)
        await eventually(load.place.committed, within=120)
        first.kill()
        return await load.finished()


@dataclass(frozen=True, slots=True)
class OneTest:
    """One test, whose workers have the mistake."""

    node: str
    mistake: Mistake | None = None
    patience: float = 1.0
    """A factor of the test's time limits, for a mutant that lets it wait in vain."""

    @property
    def file(self) -> str:
        return self.node.split("::")[0]

    async def findings(self, _name: str, _means: Means) -> Sequence[str]:
        with tempfile.NamedTemporaryFile(suffix=".xml") as report:
            options = ("-p", "no:cacheprovider", f"--junit-xml={report.name}")
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "pytest", *options, self.node),
                cwd=ROOT,
                env=self._environment(),
                stdout=asyncio.subprocess.PIPE,
            )
            try:
                output, _ = await process.communicate()
            except asyncio.CancelledError:
                process.send_signal(signal.SIGINT)  # so that it ends its servers
                await process.wait()
                raise
            return failures(Path(report.name), output.decode())

    def _environment(self) -> Mapping[str, str]:
        patience = float(os.environ.get("CALLFOLD_TEST_PATIENCE", "1")) * self.patience
        mutant = {PROGRAM: WORKER, VARIABLE: self.mistake} if self.mistake else {}
        return {**os.environ, "CALLFOLD_TEST_PATIENCE": str(patience), **mutant}


OfWorkers = FaultRun | Takeover | OneTest
Proof = EveryOrder | OfWorkers


class NoVerdict(Exception):
    """A test did not come to its end: whatever ended it, it is not what the test looks for."""


def _wrong(verdict: Verdict | takeover.Verdict) -> Sequence[str]:
    return [name for name, value in asdict(verdict).items() if value]


def failures(report: Path, output: str) -> Sequence[str]:
    """Return what pytest reports to have failed.

    Raises:
        NoVerdict: there is no report, or a test did not come to its end.
    """
    if not report.stat().st_size:
        raise NoVerdict(output[-2_000:])
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - pytest's own
    errors = [case.attrib["name"] for case in cases if case.find("error") is not None]
    if errors or not cases:
        raise NoVerdict(f"{errors}: {output[-2_000:]}")
    return [failure.attrib["message"] for case in cases for failure in case.findall("failure")]


def _say(name: str, line: str) -> None:
    print(f"{name}: {line}", file=sys.stderr, flush=True)  # noqa: T201 - progress
