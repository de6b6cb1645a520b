"""The benchmark: `make bench`, or `python -m benchmarks --part ingest --quick`.

Real servers, every figure the median of at least three rounds, peers and limits measured in the same run. What was
measured is printed as tables; values, tables and plots are written into a folder, or into docs/performance.
"""

import argparse
import asyncio
import os
import shutil
import sys
from pathlib import Path

from rich.console import Console

from benchmarks.fresh import part as fresh
from benchmarks.ingest import part as ingest
from benchmarks.long import part as long
from benchmarks.pace import Pace
from benchmarks.plan import Plan
from benchmarks.read import part as read
from benchmarks.run import Part, end_children, run
from benchmarks.samples import Samples
from benchmarks.saying import say
from benchmarks.scale import part as scale
from benchmarks.tables import judged, measured
from benchmarks.verdicts import judge
from benchmarks.writing import RECORDED, ROOT, Kept, record, render, write
from deploy.local.errors import LocalError
from deploy.local.interrupts import interrupt_on_every_signal, uninterrupted
from shared.process import logs

PARTS: dict[str, Part] = {part.NAME: part for part in (ingest, fresh, read, long, scale)}

_FAILED, _INTERRUPTED = 1, 130
_WIDTH = 160
_OTHERS = """\
Measured by commands of their own: benchmarks.backlog, outage, stale_fleet, large_call and poison
(python -m benchmarks.backlog --help).
"""


def main() -> int:
    """Run the parts that were asked for; exits with 1 if one of them fails, with 130 if it was interrupted."""
    parser = _parser()
    chosen = parser.parse_args()
    names = list(dict.fromkeys(chosen.part or PARTS))
    if chosen.render:
        render()
        return 0
    if "read" in names and shutil.which("wrk") is None:
        parser.error("the part `read` needs wrk (Debian, Ubuntu: apt install wrk)")
    if chosen.rounds < 1:
        parser.error("there is at least one round")
    logs.configure("warning", "console")
    interrupt_on_every_signal()
    return asyncio.run(_run(names, Plan(chosen.rounds, chosen.quick), chosen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=_OTHERS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--part", action="append", choices=sorted(PARTS), help="this part alone (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="the headline cells alone, in under ten minutes")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured [%(default)s]")
    parser.add_argument("--out", type=Path, default=Path(".local/bench"), help="the folder to write [%(default)s]")
    parser.add_argument("--record", action="store_true", help="write docs/performance, its document and the README too")
    parser.add_argument("--render", action="store_true", help="write those anew from what is recorded, measure nothing")
    return parser


async def _run(names: list[str], plan: Plan, chosen: argparse.Namespace) -> int:
    path = chosen.out / "samples.json"
    pace = Pace(names, plan, [Samples.read(path), Samples.read(ROOT / RECORDED)])
    samples = Kept(path)
    try:
        await run([PARTS[name] for name in names], plan, samples, pace)
    except (asyncio.CancelledError, KeyboardInterrupt):
        with uninterrupted():
            _finish(samples, chosen)
        # Threads may still wait for servers that are gone, and Python would wait for them.
        os._exit(_INTERRUPTED)
    except LocalError as error:
        say(str(error))
    with uninterrupted():
        _finish(samples, chosen)
    whole = [name for name, each in samples.runs.items() if not each.failed]
    return 0 if whole == names else _FAILED


def _finish(samples: Samples, chosen: argparse.Namespace) -> None:
    if left := end_children():
        say(f"ended what was left: {', '.join(left)}")
    write(samples, chosen.out)
    if chosen.record:
        record(samples)
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    for part in samples.runs:
        console.print(measured(samples, part).printed(part))
    found = [each for each in judge(samples) if each.target.over.part in samples.runs]
    console.print(judged(found).printed("What was to be reached"))
    say(f"written into {chosen.out}" + (f" and {RECORDED.parent}" if chosen.record else ""))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
