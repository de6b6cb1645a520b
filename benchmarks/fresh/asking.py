"""Ask for probes until they can be read: `python -m benchmarks.fresh.asking`, a process of its own.

It says when it is ready, reads from standard input what `publishing` tells, and writes as JSON how long each probe
took. One question at a time, at most so many a second however many probes are out: asking must not become the load.
What is asked comes by the environment, so that no secret stands on a command line.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import orjson
from pymongo import MongoClient

from benchmarks.fresh.load import Probe

QUESTIONS_PER_SECOND = 200
_PATIENCE_SECONDS = 60.0
_OK = 200

URL, KEY, SECRET = "FRESH_API", "FRESH_KEY", "FRESH_SECRET"
MONGO, DATABASE, COLLECTION = "FRESH_MONGO", "FRESH_DATABASE", "FRESH_COLLECTION"

Holds = Callable[[Probe], bool]


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds: from produced to readable of each probe, and of each question from asked to answered."""

    readable: list[float] = field(default_factory=list)
    questions: list[float] = field(default_factory=list)


class Produced(NamedTuple):
    """A probe, and when it was produced."""

    probe: Probe
    at: float


def main() -> None:
    """Ask until the input has ended and every probe was found."""
    told = SimpleQueue[Produced | None]()
    Thread(target=_listen, args=(told,), daemon=True).start()
    holds = _over_http() if URL in os.environ else _in_collection()
    holds(Probe("none", "none"))
    began = time.process_time()
    _write({"ready": True})
    took = ask(told, holds)
    _write({**asdict(took), "cpu_seconds": time.process_time() - began})


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(f"{orjson.dumps(line).decode()}\n")
    sys.stdout.flush()


def ask(told: "SimpleQueue[Produced | None]", holds: Holds) -> Took:
    """Ask for one after the other of the probes that are out, until each was found.

    Raises:
        TimeoutError: one never came.
    """
    took = Took()
    out = deque[Produced]()
    listening = True
    while listening or out:
        listening = _take(told, out, wait=not out) and listening
        if out:
            asked_at = time.monotonic()
            _ask_for_next(out, holds, took)
            seconds = time.monotonic() - asked_at
            took.questions.append(1000 * seconds)
            time.sleep(max(0.0, 1 / QUESTIONS_PER_SECOND - seconds))
    return took


def _ask_for_next(out: deque[Produced], holds: Holds, took: Took) -> None:
    produced = out.popleft()
    if holds(produced.probe):
        took.readable.append(1000 * (time.monotonic() - produced.at))
        return
    if time.monotonic() - produced.at > _PATIENCE_SECONDS:
        raise TimeoutError(f"{produced.probe.token} cannot be read after {_PATIENCE_SECONDS:.0f} s")
    out.append(produced)


def _take(told: "SimpleQueue[Produced | None]", out: deque[Produced], *, wait: bool) -> bool:
    """Take what was told meanwhile; tell whether there may be more."""
    try:
        while (produced := told.get(block=wait)) is not None:
            out.append(produced)
            wait = False
    except Empty:
        return True
    return False


def _listen(told: "SimpleQueue[Produced | None]") -> None:
    for line in sys.stdin:
        token, call, at = line.split()
        told.put(Produced(Probe(token, call), float(at)))
    told.put(None)


def _over_http() -> Holds:
    connection = HTTPConnection(os.environ[URL])
    headers = {"X-API-KEY": os.environ[KEY], "X-API-SECRET": os.environ[SECRET]}

    def holds(probe: Probe) -> bool:
        try:
            connection.request("GET", f"/api/calls/{probe.call}", headers=headers)
            answer = connection.getresponse()
            return probe.token.encode() in answer.read() and answer.status == _OK
        except ConnectionError:
            connection.close()  # idle for too long: the next question opens it again
            return False

    return holds


def _in_collection() -> Holds:
    client: MongoClient[dict[str, Any]] = MongoClient(os.environ[MONGO])
    collection = client[os.environ[DATABASE]][os.environ[COLLECTION]]
    return lambda probe: collection.find_one({"id": probe.token}, {"_id": 1}) is not None


if __name__ == "__main__":
    main()
