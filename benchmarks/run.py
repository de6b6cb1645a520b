"""One run of the benchmark: part after part on real servers; no process is left behind."""

import os
import platform
import re
import subprocess
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import psutil

from benchmarks.samples import Run, Samples
from benchmarks.stage import Plan, Stage, progress, stage
from deploy.local.interpreter import build
from deploy.local.servers.install import POM
from deploy.local.servers.java import find_java
from services.worker.settings import WorkerSettings
from shared.config.settings import PREFIX

DRIVER = os.environ.get(f"{PREFIX}MONGO_DRIVER", str(WorkerSettings.model_fields["mongo_driver"].default))
"""The driver that worker and API use."""

_LIBRARIES = ("faust-streaming", "aiokafka", "motor", "pymongo", "pydantic", "fastapi", "uvicorn", "uvloop", "orjson")
_END_WITHIN = 10.0


class Part(Protocol):
    """Measures one part; a module may have `MOST_ROUNDS`, where more would cost more than they show."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 - a module has a constant

    def measure(self, stage: Stage, samples: Samples, plan: Plan) -> Awaitable[None]: ...


class RecordedSamples(Samples):
    """Samples that are on disk as soon as they are taken."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def add(self, part: str, case: str, subject: str, round_: int, **measured: float) -> None:
        super().add(part, case, subject, round_, **measured)
        self.write(self._path)
        figures = ", ".join(f"{measure} {value:,.2f}" for measure, value in measured.items())
        progress(f"{case}, {subject}: {figures}")


async def run(
    parts: Sequence[Part],
    plan: Plan,
    samples: Samples,
    servers: Callable[[], AbstractAsyncContextManager[Stage]] = stage,
) -> None:
    """Measure the parts. One that fails is marked in `samples.runs`; the others are measured all the same."""
    waiting = list(parts)
    while waiting:
        async with servers() as running:
            complete = True
            # A part that failed may have damaged its servers: the next ones get new ones.
            while waiting and complete:
                complete = await _measured(waiting.pop(0), running, samples, plan)


async def _measured(part: Part, servers: Stage, samples: Samples, plan: Plan) -> bool:
    machine = describe(servers.client.server_info()["version"])
    plan = replace(plan, rounds=min(plan.rounds, getattr(part, "MOST_ROUNDS", plan.rounds)))
    progress(f"{part.NAME} begins")
    began, failed = time.monotonic(), "it was interrupted"
    try:
        await part.measure(servers, samples, plan)
        failed = ""
    except Exception as error:  # noqa: BLE001 - whatever failed, the other parts still count
        failed = f"{type(error).__name__}: {error}".splitlines()[0]
        traceback.print_exc()
    finally:
        samples.runs[part.NAME] = Run(plan.rounds, plan.quick, time.monotonic() - began, machine, failed)
    progress(f"{part.NAME} failed: {failed}" if failed else f"{part.NAME} is complete")
    return not failed


def end_children() -> list[str]:
    """End what still runs of what this process started, and return the names: none if all went well."""
    left = psutil.Process().children(recursive=True)
    names = [each.name() for each in left]
    for each in left:
        each.terminate()
    for each in psutil.wait_procs(left, _END_WITHIN)[1]:
        each.kill()
    return names


def describe(mongod: str) -> dict[str, str]:
    """Describe the machine without its name; `mongod` is the server's version."""
    cpu = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(errors="replace"), re.MULTILINE)
    java = subprocess.run([find_java(), "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    java_version = re.search(r'version "([^"]+)"', java)
    (kafka,) = re.findall(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([^<]+)", POM.read_text(encoding="utf-8"))
    return {
        "processor": cpu[1].strip() if cpu else platform.machine(),  # Linux names no model on ARM
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load at the start": f"{os.getloadavg()[0]:.1f}",
        "Python": f"{platform.python_version()}, {build()}",
        "Java": java_version[1] if java_version else "unknown",
        "Kafka": kafka,
        "mongod": mongod,
        "driver": DRIVER,
        **{name: version(name) for name in _LIBRARIES},
    }
