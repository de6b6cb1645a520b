"""Watches the monitor at a steady rate, and while no worker runs: is the lag true, and what does it cost?

Steady: the lag in seconds is sampled each second; it must never be missing or negative. Then the worker is killed, and
the lag is compared with what `kafka-consumer-groups` prints, and with the clock.
"""

import asyncio
import sys
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchmarks.stage import CpuTime, Stage, progress, run_program, until
from shared.contract.topics import Topics
from tests.support.monitor import MonitorServer
from tests.support.servers.kafka_tools import group_lag

_PARTITIONS = 12
_WARM_UP = 10.0
_MOST_SECONDS = 3.0
_STOPPED_SECONDS = 20.0
_COMMIT_SECONDS = 1.0
_CLOCK_SECONDS = 1.0
_VERDICT_WITHIN = 15.0
_CLEAR_WITHIN = 120.0


@dataclass
class Seen:
    """What the samples showed: lag in seconds, how many were missing, verdicts with the seconds of each."""

    lag_seconds: list[float] = field(default_factory=list)
    missing: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)

    def add(self, answer: dict[str, Any]) -> None:
        """Take the greatest lag of all partitions; one that has none is missing."""
        values = [part["lag_seconds"] for part in answer["partitions"]]
        if len(values) != 2 * _PARTITIONS or None in values:
            self.missing += 1
        else:
            self.lag_seconds.append(max(values))
        verdict = answer["verdict"]
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1


def each_second(seconds: float) -> Iterator[float]:
    """Yield how long to wait until the next whole second."""
    began = time.monotonic()
    for number in range(1, int(seconds) + 1):
        yield max(began + number - time.monotonic(), 0.0)


async def measure(stage: Stage, chosen: Namespace) -> int:
    topics = await stage.topics(_PARTITIONS)
    with stage.database("lag") as database:
        worker = stage.worker(
            topics, database.name, partitions=_PARTITIONS, commit_seconds=_COMMIT_SECONDS, session_seconds=20
        )
        monitor = MonitorServer(
            stage.folder / "monitor",
            {
                "KAFKA_BOOTSTRAP": stage.kafka.address,
                "MONGO_URI": stage.mongo.uri,
                "MONGO_DATABASE": database.name,
                "TOPIC_PREFIX": topics.prefix,
                "GROUP": topics.prefix,
            },
        )
        with worker, monitor:
            steady = await _steady(stage, topics, monitor, chosen)
            stopped = await _stopped(stage, topics, worker, monitor, chosen.stopped_rate)
    return int(not (steady and stopped))


async def _steady(stage: Stage, topics: Topics, monitor: MonitorServer, chosen: Namespace) -> bool:
    seen = Seen()
    async with _load(stage, topics, chosen.rate, 0, chosen.seconds + 2 * _WARM_UP):
        await asyncio.sleep(_WARM_UP)
        progress(f"sampling each second for {chosen.seconds:.0f} s at {chosen.rate} events/s")
        cpu, requests = CpuTime(monitor=monitor.pid), monitor.metric("callfold_monitor_kafka_requests_total")
        began = time.monotonic()
        for wait in each_second(chosen.seconds):
            await asyncio.sleep(wait)
            seen.add(await asyncio.to_thread(monitor.lag))
        took = time.monotonic() - began
        percent = 100 * cpu.seconds()["monitor"] / took
        asked = (monitor.metric("callfold_monitor_kafka_requests_total") - requests) / took
    values = sorted(seen.lag_seconds)
    _print(
        f"lag in seconds: {len(values)} samples, least {values[0]:.3f}, median {values[len(values) // 2]:.3f}, "
        f"greatest {values[-1]:.3f}; {seen.missing} missing; verdicts {seen.verdicts}"
    )
    _print(f"the monitor used {percent:.2f} % of a core (asked each second too) and {asked:.1f} requests a second")
    return not seen.missing and values[0] >= 0 and values[-1] <= _MOST_SECONDS


async def _stopped(stage: Stage, topics: Topics, worker: Any, monitor: MonitorServer, rate: int) -> bool:
    """Kill the worker under load, stop the load, compare; then start the worker again."""
    async with _load(stage, topics, rate, 1, _WARM_UP + _STOPPED_SECONDS + 60):
        await asyncio.sleep(_WARM_UP)
        worker.kill()  # a worker that stops in order commits until it ends
        stopped = time.time()
        progress("the worker is killed")
        found = await _until_verdict(monitor, {"no_owner", "stalled"}, stopped)
        await asyncio.sleep(max(stopped + _STOPPED_SECONDS - time.time(), 0.0))
        answer = await asyncio.to_thread(monitor.lag)
        clock, seconds = datetime.fromisoformat(answer["at"]).timestamp() - stopped, answer["total"]["lag_seconds"]
        _print(
            f"worker killed under {rate} events/s: verdict {found[1]} ({found[2]}) after {found[0]:.1f} s; "
            f"after {clock:.1f} s the lag is {seconds:.1f} s"
        )
        right = 0 <= seconds - clock <= _COMMIT_SECONDS + _CLOCK_SECONDS
    theirs, ours = await _compared(stage, topics, monitor)
    _print(f"lag in records: {sum(ours.values())}, kafka-consumer-groups {sum(theirs.values())}")
    again = time.monotonic()
    worker.start().wait_until_ready()
    await until(lambda: monitor.lag()["verdict"] == "ok" and monitor.lag()["total"]["lag"] == 0, _CLEAR_WITHIN)
    _print(f"started again: ok and no lag after {time.monotonic() - again:.1f} s")
    return right and theirs == ours and found[0] <= _VERDICT_WITHIN


async def _compared(stage: Stage, topics: Topics, monitor: MonitorServer) -> tuple[dict[Any, int], dict[Any, int]]:
    """Return the lag of each partition, by Kafka's own command and by the monitor; nothing is published meanwhile."""
    await asyncio.sleep(2.0)
    groups = await asyncio.to_thread(group_lag, stage.kafka.address, topics.prefix)
    answer = await asyncio.to_thread(monitor.lag)
    theirs = {part: lag for part, (_, _, lag) in groups.items()}
    ours = {(part["topic"], part["partition"]): part["lag"] for part in answer["partitions"]}
    return theirs, {part: lag for part, lag in ours.items() if part in theirs}


async def _until_verdict(monitor: MonitorServer, verdicts: set[str], since: float) -> tuple[float, str, str]:
    while True:
        answer = await asyncio.to_thread(monitor.lag)
        if answer["verdict"] in verdicts:
            return time.time() - since, answer["verdict"], answer["cause"]
        if time.time() - since > _CLEAR_WITHIN:
            raise TimeoutError(f"the verdict is still {answer['verdict']}")
        await asyncio.sleep(0.2)


@asynccontextmanager
async def _load(stage: Stage, topics: Topics, rate: int, first: int, seconds: float) -> AsyncIterator[None]:
    """Publish steadily in a process of its own, from the context's beginning to its end."""
    arguments = (stage.kafka.address, topics.prefix, str(rate), str(first), "0", str(seconds))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.load.publish_probes", *arguments, stdout=asyncio.subprocess.PIPE
    )
    lines = process.stdout
    assert lines
    await lines.readline()  # it publishes now
    reading = asyncio.create_task(lines.read())
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await reading


def _print(line: str) -> None:
    print(line)  # noqa: T201


if __name__ == "__main__":
    run_program(
        measure,
        __doc__,
        rate=(500, "events a second while the lag is sampled"),
        seconds=(600.0, "of sampling"),
        stopped_rate=(2_000, "events a second while the worker is stopped"),
    )
