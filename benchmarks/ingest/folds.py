"""How often a call is folded while a backlog is drained: all of the short telephony topic is read long before the rest.

Told by what changes in `calls`: a claim is a new token, and one that is given back loses it.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from pymongo.change_stream import ChangeStream

from benchmarks.calls import Workload
from benchmarks.ingest.callfold import drain
from benchmarks.stage import Stage
from shared.store.states import State

CASE = "telephony far ahead"

_WATCHED: list[dict[str, Any]] = [
    {"$match": {"ns.coll": "calls", "operationType": {"$in": ["update", "replace", "drop"]}}},
    {
        "$project": {
            "operationType": 1,
            "documentKey": 1,
            "fullDocument.state": 1,
            "fullDocument.event_count": 1,
            "updateDescription.updatedFields.token": 1,
            "updateDescription.removedFields": 1,
        }
    },
]

Change = dict[str, Any]


@dataclass
class Folds:
    """What became of calls of so many distinct events each, by their keys."""

    sizes: dict[str, int]
    folds: int = 0
    final_too_early: set[str] = field(default_factory=set)

    def count(self, change: Change) -> None:
        """Take in a change of one call."""
        if change["operationType"] == "replace":
            self._stored(change["documentKey"]["_id"], change["fullDocument"])
            return
        update = change["updateDescription"]
        self.folds += "token" in update.get("updatedFields", {})
        self.folds -= "token" in update.get("removedFields", [])

    def _stored(self, call: str, stored: Change) -> None:
        if stored["state"] == State.FINAL and stored["event_count"] < self.sizes[call]:
            self.final_too_early.add(call)

    def measures(self) -> dict[str, float]:
        """Return the figures by name; folds that a mark overtook count as well."""
        return {"folds_per_call": self.folds / len(self.sizes), "final_too_early": float(len(self.final_too_early))}


async def watch(stage: Stage, workload: Workload) -> dict[str, float]:
    """Drain the workload once; return folds per call, and how many records were stored as final before they were whole.

    Raises:
        AssertionError: a record differs from the reference fold.
    """
    folds = Folds({workload.key(number): workload.size(number) for number in range(workload.calls)})
    await stage.published(workload)
    failed = Event()
    with stage.client.watch(_WATCHED) as stream:
        watching = asyncio.create_task(asyncio.to_thread(_count, folds, stream, failed))
        try:
            await drain(stage, workload)
        except BaseException:
            failed.set()
            raise
        finally:
            await watching
    return folds.measures()


def _count(folds: Folds, stream: ChangeStream[Change], failed: Event) -> None:
    for change in _changes(stream, failed):
        folds.count(change)


def _changes(stream: ChangeStream[Change], failed: Event) -> Iterator[Change]:
    """Yield what changed until the collection is dropped, which ends a drain."""
    while not failed.is_set():
        change = stream.try_next()
        if change is not None and change["operationType"] == "drop":
            return
        if change is not None:
            yield change
