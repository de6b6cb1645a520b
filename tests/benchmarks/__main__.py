"""The benchmark: `make bench`, or `python -m tests.benchmarks --part ingest --quick`.

Real servers, every figure the median of at least three rounds, peers and limits measured in the same run. What was
measured is printed as a table, and written as JSON.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from tests.benchmarks.ingest import part as ingest
from tests.benchmarks.plan import Plan
from tests.benchmarks.samples import Samples
from tests.benchmarks.stage import stage

PARTS = {part.NAME: part for part in (ingest,)}


def main() -> int:
    """Run the parts that were asked for; exits with 1 if one of them fails."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=sorted(PARTS), help="this part alone (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="the headline cells alone, in under ten minutes")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--out", type=Path, default=Path(".local/bench"), help="the folder for what was measured")
    chosen = parser.parse_args()
    samples = asyncio.run(_run(chosen.part or list(PARTS), Plan(chosen.rounds, chosen.quick)))
    samples.write(chosen.out / "samples.json", {})
    for cell, figure in samples.figures().items():
        print(*cell, f"{figure.median:.1f} ({figure.least:.1f} to {figure.most:.1f})", sep="  ")  # noqa: T201
    return 0


async def _run(parts: list[str], plan: Plan) -> Samples:
    samples = Samples()
    async with stage() as servers:
        for name in parts:
            await PARTS[name].measure(servers, samples, plan)
    return samples


if __name__ == "__main__":
    sys.exit(main())
