"""Asks for probes until they can be read: `python -m benchmarks.load.ask_probes`, a process of its own.

Writes a line when it is ready, reads from standard input what `publish_probes` writes, and writes as JSON how long each
probe took. One request at a time, and a limited number a second however many probes are out: the client must not become
the load. Where to ask comes by the environment, as JSON, so that no secret is on a command line.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import orjson
from pymongo import MongoClient

from benchmarks.load.probes import Probe

WHERE = "FRESH_WHERE"

_REQUESTS_PER_SECOND = 200
_TIMEOUT_SECONDS = 60.0
_OK = 200

Holds = Callable[[Probe], bool]


class Times(NamedTuple):
    """Milliseconds: from produced to readable of each probe, and of each request from sent to answered."""

    readable: list[float]
    requests: list[float]


class Produced(NamedTuple):
    probe: Probe
    at: float


Arrivals = SimpleQueue[Produced | None]
"""Ends with None."""


def main() -> None:
    where = orjson.loads(os.environ[WHERE])
    holds = _by_api(**where) if "headers" in where else _in_collection(**where)
    holds(Probe("none", "none"))  # connects
    arrivals, began = Arrivals(), time.process_time()
    Thread(target=_read_input, args=(arrivals,), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    times = ask(arrivals, holds)
    sys.stdout.buffer.write(orjson.dumps({**times._asdict(), "cpu_seconds": time.process_time() - began}))


def ask(arrivals: Arrivals, holds: Holds) -> Times:
    """Ask for the probes in turn until each was found.

    Raises:
        TimeoutError: one did not become readable.
    """
    times = Times([], [])
    out = deque[Produced]()
    more = True
    while more or out:
        more = _receive(arrivals, out, wait=not out) and more
        if not out:
            continue
        produced, asked_at = out.popleft(), time.monotonic()
        if holds(produced.probe):
            times.readable.append(1000 * (time.monotonic() - produced.at))
        elif asked_at - produced.at > _TIMEOUT_SECONDS:
            raise TimeoutError(f"{produced.probe.token} cannot be read after {_TIMEOUT_SECONDS:.0f} s")
        else:
            out.append(produced)
        seconds = time.monotonic() - asked_at
        times.requests.append(1000 * seconds)
        time.sleep(max(0.0, 1 / _REQUESTS_PER_SECOND - seconds))
    return times


def _receive(arrivals: Arrivals, out: deque[Produced], *, wait: bool) -> bool:
    """Move what has arrived to `out`; return whether more may arrive."""
    try:
        while (produced := arrivals.get(block=wait)) is not None:
            out.append(produced)
            wait = False
    except Empty:
        return True
    return False


def _read_input(arrivals: Arrivals) -> None:
    for line in sys.stdin:
        token, call, at = line.split()
        arrivals.put(Produced(Probe(token, call), float(at)))
    arrivals.put(None)


def _by_api(address: str, headers: Mapping[str, str]) -> Holds:
    connection = HTTPConnection(address)

    def holds(probe: Probe) -> bool:
        try:
            connection.request("GET", f"/api/calls/{probe.call}", headers=headers)
            answer = connection.getresponse()
            return probe.token.encode() in answer.read() and answer.status == _OK
        except ConnectionError:
            connection.close()  # idle for too long: the next request opens it again
            return False

    return holds


def _in_collection(mongo: str, database: str, collection: str) -> Holds:
    client: MongoClient[dict[str, Any]] = MongoClient(mongo)
    events = client[database][collection]
    return lambda probe: events.find_one({"id": probe.token}, {"_id": 1}) is not None


if __name__ == "__main__":
    main()
