"""When events became visible in the log, partition by partition, as a change stream tells."""

import threading
import time
from collections import defaultdict
from itertools import chain, pairwise
from typing import Any, Self

from benchmarks.stage import Documents

_AWAIT_MS = 100


class Watching:
    """Watches a database's log while it is entered; all times are `time.monotonic()`."""

    def __init__(self, database: Documents, topic: str) -> None:
        self._database = database
        self._topic = topic
        self._seen: defaultdict[int, list[float]] = defaultdict(list)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def partitions(self) -> int:
        """Return of how many partitions events have been seen."""
        return len(self._seen)

    def longest_of_one(self, since: float, until: float) -> float:
        """Return for how long a partition stood still between two moments: the one that did so for longest."""
        return max(_longest(sorted(seen), since, until) for seen in list(self._seen.values()))

    def longest_of_all(self, since: float, until: float) -> float:
        """Return for how long nothing at all became visible between two moments."""
        return _longest(sorted(chain.from_iterable(list(self._seen.values()))), since, until)

    def _watch(self) -> None:
        inserts: list[dict[str, Any]] = [{"$match": {"operationType": "insert"}}, {"$project": {"documentKey": 1}}]
        with self._database.call_events.watch(inserts, max_await_time_ms=_AWAIT_MS) as stream:
            while not self._ends.is_set():
                change = stream.try_next()
                if change is not None:
                    _, _, topic, partition, _ = change["documentKey"]["_id"].split("/")
                    if topic == self._topic:
                        self._seen[int(partition)].append(time.monotonic())


def _longest(seen: list[float], since: float, until: float) -> float:
    """Return the longest time without any, of which a part lies between the two moments."""
    return max((after - before for before, after in pairwise([*seen, until]) if after > since), default=0.0)
