"""Plant each mistake, and see that the proof that claims to find it does: `python -m tests.mutants`."""

import argparse
import asyncio
import logging
import sys
import time

from rich import box
from rich.console import Console
from rich.table import Table

from shared.process import logs
from tests.mutants.catalogue import Mutant, all_mutants, controls
from tests.mutants.run import Result, run

_FAILED = 1


def main() -> int:
    """Return 0 if every mutant was found, and nothing where there is none."""
    arguments = _parser().parse_args()
    mutants = [*controls(), *all_mutants()]
    if arguments.list:
        Console(width=140).print(_listed(mutants))
        return 0
    chosen = [mutant for mutant in mutants if not arguments.only or mutant.name in arguments.only]
    logs.configure("warning", "console")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # workers are killed, and brokers
    began = time.monotonic()
    results = asyncio.run(run(chosen, lambda line: print(line, file=sys.stderr, flush=True)))  # noqa: T201 - progress
    Console(width=140).print(_table(results, time.monotonic() - began))
    return _FAILED if any(result.wrong for result in results) else 0


def _listed(mutants: list[Mutant]) -> Table:
    table = Table("mutant", "promise", "proof", box=box.SIMPLE)
    for mutant in mutants:
        table.add_row(mutant.name, mutant.promise or "-", mutant.proof.file)
    return table


def _table(results: list[Result], seconds: float) -> Table:
    wrong = sum(result.wrong is not None for result in results)
    title = f"{len(results)} runs in {seconds:.0f} s: {f'{wrong} WRONG' if wrong else 'all as they must be'}"
    table = Table("mutant", "promise", "found by", "seconds", box=box.SIMPLE, title=title, title_justify="left")
    for result in results:
        mutant = result.mutant
        found = f"{mutant.proof.file}: {mutant.finds}" if mutant.promise else f"{mutant.proof.file}: nothing to find"
        table.add_row(mutant.name, mutant.promise or "-", result.wrong or found, f"{result.seconds:.0f}")
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description="Run each proof of what decision 13 guarantees against a worker, or a protocol, with a mistake. "
        "A mutant that is not found, or by another finding than it must be, fails the run; so does a proof that finds "
        "something where no mistake is made.",
        epilog="Example: python -m tests.mutants --only 'drops one in a thousand' --only 'keeps a message'",
    )
    names = [mutant.name for mutant in [*controls(), *all_mutants()]]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help="run this one; may be repeated")
    parser.add_argument("--list", action="store_true", help="list the mutants, and exit")
    return parser


if __name__ == "__main__":
    sys.exit(main())
