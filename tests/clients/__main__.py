"""Publish with clients of other makers: `python -m tests.clients --only sarama`."""

import argparse
import asyncio
import logging
import signal
import sys

from shared.process import logs
from tests.clients.catalogue import CLIENTS, Client
from tests.clients.report import table
from tests.clients.run import Result, run

_FAILED = 1


def main() -> int:
    """Return 0 if every client's records are right, and lag 0 came in time."""
    chosen = _parser().parse_args()
    if chosen.list:
        print("\n".join(f"{each.name:28} {each.describe()}" for each in CLIENTS))  # noqa: T201 - a program
        return 0
    logs.configure("warning", "console")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    clients = [each for each in CLIENTS if not chosen.only or each.name in chosen.only]
    results = asyncio.run(_results(clients, chosen.within))
    print(table(results))  # noqa: T201 - a program
    return _FAILED if any(each.problem for each in results) else 0


async def _results(clients: list[Client], within: float) -> list[Result]:
    task = asyncio.current_task()
    assert task is not None
    # The servers are ended by their contexts, also when the program is asked to end.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    results = []
    async for result in run(clients, within, _progress):
        _progress(f"{result.client.name}: {result.problem or 'right'}")
        results.append(result)
    return results


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.clients",
        description="Run a broker, a mongod and a worker; publish calls with clients of other makers and languages, in "
        "turn; compare every record with the reference implementation's, and measure the time from the client's last "
        "commit until `callfold lag` and `kafka-consumer-groups` both say that nothing is left to read.",
        epilog="Example: python -m tests.clients --only sarama --only franz-go-interleaved",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=[each.name for each in CLIENTS],
        metavar="NAME",
        help="run this client only; may be repeated",
    )
    parser.add_argument("--list", action="store_true", help="list the clients, and exit")
    parser.add_argument(
        "--within", type=float, default=10.0, metavar="SECONDS", help="time limit for lag 0 [%(default)s]"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
