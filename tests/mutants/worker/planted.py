"""Where each mistake is made: around one of the worker's dependencies, or in its consumer."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from pymongo import WriteConcern

from services.worker.consumer.consumer import ChunkConsumer, ChunkTransport
from services.worker.consumer.watch.changes import TopicChanges
from services.worker.settings import WorkerSettings
from services.worker.worker import WorkerDependencies
from shared.contract.topics import LOG_APPEND_TIME
from shared.fold import redaction
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Collection, Connection
from shared.store.ports import Store
from tests.mutants.worker import stores
from tests.mutants.worker.mistakes import VARIABLE, Mistake

Plant = Callable[[WorkerDependencies], WorkerDependencies]


def planted(dependencies: WorkerDependencies) -> WorkerDependencies:
    """Return the dependencies with the mistake that the environment names, as they are if it names none."""
    name = os.environ.get(VARIABLE)
    return _PLANTS[Mistake(name)](dependencies) if name else dependencies


class AcknowledgesFirst(ChunkConsumer):
    """Acknowledges what it delivers."""

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        async for tp, message in super().getmany(timeout):
            for chunk in message.value:
                self.acknowledge(chunk)
            yield tp, message


class CommitsTooEarly(ChunkConsumer):
    """Commits its position, whatever is written."""

    def _new_offset(self, tp: TP) -> int | None:
        return self._offsets._positions.get(tp)  # noqa: SLF001 - the mistake is to go by it


class LeavesWithoutCommit(ChunkConsumer):
    """Commits once: what it has written since then is left when it stops, however slowly it came."""

    _has_committed = False

    async def commit(self, *args: Any, **options: Any) -> bool:
        if self._has_committed:
            return False
        self._has_committed = bool(await super().commit(*args, **options))
        return self._has_committed


class LeavesMarks(ChunkConsumer):
    """Commits behind the last written record."""

    def _new_offset(self, tp: TP) -> int | None:
        last = self._offsets.last_written(tp)
        return None if last is None else last.offset + 1


class MissesANewTopic(ChunkConsumer):
    """Watches nothing that Kafka does to its topics."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.changes = _WatchesNothing()


class _WatchesNothing(TopicChanges):
    def watch(self, consumer: AIOKafkaConsumer) -> None:
        pass


class MissesALoss(ChunkConsumer):
    """Reports no record as lost."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.changes = _ReportsNothing()


class _ReportsNothing(TopicChanges):
    def _report_lost(self, offsets: dict[TP, int]) -> None:
        pass


class BelievesProducersClocks(ChunkConsumer):
    """Takes each time for one of the broker's."""

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        async for tp, message in super().getmany(timeout):
            for chunk in message.value:
                chunk.records = [replace(each, timestamp_type=LOG_APPEND_TIME) for each in chunk.records]
            yield tp, message


class OneMember(Connection):
    """Waits for the primary alone."""

    def collection(self, name: str) -> Collection:
        return super().collection(name).with_options(write_concern=WriteConcern(1))


def _consumer(consumer: type[ChunkConsumer]) -> Plant:
    def plant(dependencies: WorkerDependencies) -> WorkerDependencies:
        ChunkTransport.Consumer = consumer
        return dependencies

    return plant


def _store(wrong: Callable[[Store], stores.WrongStore]) -> Plant:
    return lambda dependencies: replace(dependencies, store=cast(Store, wrong(dependencies.store)))


def _dead_letters(wrong: type[stores.WrongPublisher]) -> Plant:
    return lambda dependencies: replace(dependencies, dead_letters=wrong(dependencies.dead_letters))


def _acknowledges_first(dependencies: WorkerDependencies) -> WorkerDependencies:
    return _store(stores.NeverUpdates)(_consumer(AcknowledgesFirst)(dependencies))


def _commits_too_early(dependencies: WorkerDependencies) -> WorkerDependencies:
    return _store(stores.NeverUpdates)(_consumer(CommitsTooEarly)(dependencies))


def _always_unavailable(dependencies: WorkerDependencies) -> WorkerDependencies:
    return _store(lambda store: stores.AlwaysUnavailable(store, dependencies.dead_letters))(dependencies)


def _writes_to_one_member(dependencies: WorkerDependencies) -> WorkerDependencies:
    settings = WorkerSettings.load()
    connection = OneMember(settings.mongo, settings.mongo_database, timeout_ms=settings.mongo_timeout_ms)
    return replace(dependencies, store=MongoStore(connection, lease_ms=int(settings.lease_seconds * 1000)))


def _keeps_a_message(dependencies: WorkerDependencies) -> WorkerDependencies:
    redaction.KEPT["call.failed"] += ("message",)  # a rule, which no port reaches
    return dependencies


def _ends_no_call(dependencies: WorkerDependencies) -> WorkerDependencies:
    return replace(dependencies, inferred_ends=stores.PublishesNothing(dependencies.inferred_ends))


_PLANTS: Mapping[Mistake, Plant] = {
    Mistake.ACKNOWLEDGES_FIRST: _acknowledges_first,
    Mistake.COMMITS_TOO_EARLY: _commits_too_early,
    Mistake.SKIPS_UPDATES: _store(stores.SkipsUpdates),
    Mistake.DROPS_ONE_IN_A_THOUSAND: _store(stores.DropsOneInAThousand),
    Mistake.WRITES_TO_ONE_MEMBER: _writes_to_one_member,
    Mistake.COUNTS_COPIES: _store(stores.CountsCopies),
    Mistake.DROPS_A_DEAD_LETTER: _dead_letters(stores.DropsOne),
    Mistake.CUTS_DEAD_LETTERS: _dead_letters(stores.Cuts),
    Mistake.MISTAKES_THE_REASON: _dead_letters(stores.MistakesTheReason),
    Mistake.TAKES_AN_OUTAGE_FOR_INVALID_EVENTS: _always_unavailable,
    Mistake.SKIPS_AFTER_A_FAILURE: _store(stores.SkipsAfterAFailure),
    Mistake.LEAVES_WITHOUT_COMMIT: _consumer(LeavesWithoutCommit),
    Mistake.BREAKS_OTHERS_TOO: _store(stores.BreaksOthersToo),
    Mistake.KEEPS_A_MESSAGE: _keeps_a_message,
    Mistake.LOGS_CONTENT: _store(stores.LogsContent),
    Mistake.QUOTES_CONTENT: _dead_letters(stores.QuotesContent),
    Mistake.ENDS_NO_CALL: _ends_no_call,
    Mistake.PASSES_OVER_IN_SILENCE: _dead_letters(stores.PassesOverInSilence),
    Mistake.SAYS_THAT_ALL_IS_WRITTEN: _store(stores.SaysThatAllIsWritten),
    Mistake.LEAVES_MARKS: _consumer(LeavesMarks),
    Mistake.MISSES_A_NEW_TOPIC: _consumer(MissesANewTopic),
    Mistake.MISSES_A_LOSS: _consumer(MissesALoss),
    Mistake.BELIEVES_PRODUCERS_CLOCKS: _consumer(BelievesProducersClocks),
    Mistake.VOUCHES_FOR_EVERYTHING: _store(stores.VouchesForEverything),
    Mistake.STORES_OTHER_BYTES: _store(stores.StoresOtherBytes),
}
