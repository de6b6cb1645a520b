"""Run the fault tests for long: `python -m tests.faults --seed 1 --duration 600`."""

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path

from rich.console import Console

from deploy.local.servers.prometheus import is_installed
from shared.process import logs
from tests.faults.harness.run import FAULTS, Plan, run
from tests.faults.harness.workers import WORKER

_FAILED = 1


def main() -> int:
    """Return 0 if the run was correct."""
    arguments = _parser().parse_args()
    if arguments.list:
        print("\n".join(FAULTS))  # noqa: T201 - a program
        return 0
    logs.configure("warning", "console")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the broker is unavailable on purpose
    report = asyncio.run(run(_plan(arguments), lambda line: print(line, file=sys.stderr, flush=True)))  # noqa: T201 - progress
    Console(width=140).print(report.table())
    if arguments.report:
        arguments.report.write_text(json.dumps(report.as_json(), indent=2) + "\n")
    return 0 if report.verdict.good else _FAILED


def _plan(chosen: argparse.Namespace) -> Plan:
    kinds = tuple(chosen.only or FAULTS)
    return Plan(
        chosen.seed,
        chosen.duration,
        chosen.rate,
        chosen.workers,
        program=chosen.worker,
        kinds=kinds,
        alerts=chosen.alerts,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Run a broker, a replica set, workers and the API under faults, and compare every record with the "
        "reference implementation's. The seed determines the events and the order of the faults.",
        epilog="Example: python -m tests.faults --seed 7 --duration 60 --only 'worker: kill -9'",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of events and faults [%(default)s]")
    parser.add_argument(
        "--duration", type=float, default=600.0, metavar="SECONDS", help="how long faults are caused [%(default)s]"
    )
    parser.add_argument("--rate", type=float, default=150.0, metavar="EVENTS", help="events per second [%(default)s]")
    parser.add_argument("--workers", type=int, default=2, help="number of workers [%(default)s]")
    parser.add_argument("--worker", default=WORKER, metavar="MODULE", help="module that the workers run [%(default)s]")
    parser.add_argument(
        "--only", action="append", choices=FAULTS, metavar="KIND", help="cause only this kind of fault; may be repeated"
    )
    parser.add_argument(
        "--alerts",
        action=argparse.BooleanOptionalAction,
        default=is_installed(),
        help="run a monitor and Prometheus too, and count alerts that fire without cause [if Prometheus is installed]",
    )
    parser.add_argument("--list", action="store_true", help="list the kinds of faults, and exit")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
