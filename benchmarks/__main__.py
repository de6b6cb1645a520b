"""Measure Callfold and its alternatives on real servers: every figure is the median of several rounds.

Prints tables; writes values, tables and plots into a folder, with --record also into docs/performance.
"""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.parts import fresh, ingest, long, read, scale
from benchmarks.parts.against import Against
from benchmarks.render import record, render, summary, write
from benchmarks.run import Part, RecordedSamples, end_children, run
from benchmarks.samples import Samples
from benchmarks.stage import Plan, progress
from deploy.local.errors import LocalError
from deploy.local.interrupts import interrupt_on_every_signal, uninterrupted
from shared.process import logs

PARTS: dict[str, Part] = {part.NAME: part for part in (ingest, fresh, read, long, scale)}

_FAILED, _INTERRUPTED = 1, 130
_OTHERS = "Programs of their own: python -m benchmarks.backlog (outage, stale_fleet, large_call, poison) --help"


def main() -> int:
    """Run the chosen parts; return 1 if one of them fails, 130 after an interruption."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__, epilog=_OTHERS)
    parser.add_argument("--part", action="append", choices=sorted(PARTS), help="only this part (may be repeated)")
    parser.add_argument("--against", metavar="REV", help="this tree's worker and that of another commit, in turns")
    parser.add_argument("--against-python", metavar="PATH", help="run that commit's worker by this Python, too")
    parser.add_argument("--quick", action="store_true", help="only the main cases, in under ten minutes")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured [%(default)s]")
    parser.add_argument("--out", type=Path, default=Path(".local/bench"), help="the folder to write [%(default)s]")
    parser.add_argument("--record", action="store_true", help="also write docs/performance and docs/performance.md")
    parser.add_argument("--render", action="store_true", help="only render docs/performance.md from recorded values")
    chosen = parser.parse_args()
    if chosen.render:
        render()
        return 0
    parts = _parts(chosen)
    names = [part.NAME for part in parts]
    if "read" in names and shutil.which("wrk") is None:
        parser.error("the part read needs wrk (Debian, Ubuntu: apt install wrk)")
    if chosen.rounds < 1:
        parser.error("--rounds must be at least 1")
    logs.configure("warning", "console")
    interrupt_on_every_signal()
    return asyncio.run(_run(parts, chosen))


def _parts(chosen: argparse.Namespace) -> list[Part]:
    """Return the chosen parts; with --against that one, and of the others only those that are named."""
    if chosen.against is None:
        return [PARTS[name] for name in dict.fromkeys(chosen.part or PARTS)]
    return [*(PARTS[name] for name in dict.fromkeys(chosen.part or ())), Against(chosen.against, chosen.against_python)]


async def _run(parts: Sequence[Part], chosen: argparse.Namespace) -> int:
    samples = RecordedSamples(chosen.out / "samples.json")
    try:
        await run(parts, Plan(chosen.rounds, chosen.quick), samples)
    except (asyncio.CancelledError, KeyboardInterrupt):
        with uninterrupted():
            _finish(samples, chosen)
        os._exit(_INTERRUPTED)  # Python would wait for threads, which may wait for servers that are gone
    except LocalError as error:
        progress(str(error))
    with uninterrupted():
        _finish(samples, chosen)
    complete = [name for name, each in samples.runs.items() if not each.failed]
    return 0 if complete == [part.NAME for part in parts] else _FAILED


def _finish(samples: Samples, chosen: argparse.Namespace) -> None:
    if left := end_children():
        progress(f"ended processes that were left: {', '.join(left)}")
    write(samples, chosen.out)
    if chosen.record:
        record(samples)
    sys.stdout.write(summary(samples))
    progress(f"written to {chosen.out}" + (" and docs/performance" if chosen.record else ""))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
