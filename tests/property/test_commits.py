"""Nothing is committed that is not written, in any order of fetches, acknowledgements, commits, seeks and failures."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from services.worker.consumer.fetch import Chunk
from services.worker.consumer.positions import Fetched
from services.worker.ingest.decode_batch import KafkaRecord
from tests.support.worker.unstarted_consumer import TP0, Broker, fetch, records, unstarted

LOG = 40

Step = tuple[str, int]

steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "fetch",
                "fetch",
                "fetch",
                "write",
                "write",
                "commit",
                "rebalance",
                "drop",
                "drop without seek",
                "fail",
                "seek meanwhile",
            ]
        ),
        st.integers(1, 6),
    ),
    max_size=40,
)
record_or_not = st.lists(st.booleans(), min_size=LOG, max_size=LOG)


class Log(Broker):
    """A broker with one partition, that has a record at some offsets, and at others what a transaction leaves."""

    def __init__(self, has_record: list[bool]) -> None:
        super().__init__({TP0: None})
        self.has_record, self.position, self.size = has_record, 0, 1

    async def getmany(self, _active: set[TP], _timeout: float) -> Mapping[TP, Sequence[KafkaRecord]]:
        found = [each for each in records(self.position, self._end()) if self.has_record[each.offset]]
        position = self.position = self._end()
        if self.while_fetching:
            await self.while_fetching()
        return Fetched({TP0: found} if found else {}, {TP0: position})

    def _end(self) -> int:
        return min(self.position + self.size, LOG)

    async def seek_to_committed(self) -> dict[TP, int | None]:
        found = await super().seek_to_committed()
        self.position = found[TP0] or self.position  # as aiokafka: where nothing is committed it stays
        return found

    async def seek_to_beginning(self, *partitions: TP) -> None:
        await super().seek_to_beginning(*partitions)
        self.position = 0


class Run:
    """A worker on such a log; what it writes is remembered."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.waiting: deque[Chunk] = deque()
        self.written: set[int] = set()

    async def all(self, steps: list[Step]) -> None:
        async with unstarted(self.log) as (worker, _):
            self.consumer = worker.consumer
            for name, size in steps:
                self.log.size = size
                await self._step(name)
                self.check()
            self.log.size = LOG
            for _ in range(3):  # it may have to go back first
                await self._step("fetch")
            while self.waiting:
                await self._step("write")
            await self._step("commit")
            self.check()

    def check(self) -> None:
        committed = self.log.committed[TP0] or 0
        assert [offset for offset in range(committed) if self.log.has_record[offset]] == sorted(
            offset for offset in self.written if offset < committed
        )

    async def _step(self, name: str) -> None:
        match name:
            case "fetch":
                self.waiting.extend(await fetch(self.consumer, self.log, {}))
            case "write" if self.waiting:
                self._write(self.waiting.popleft() if len(self.waiting) % 2 else self.waiting.pop())
            case "commit":
                await self.consumer.commit()
            case "rebalance":
                await self._rebalance()
            case "seek meanwhile":
                await self._seek_meanwhile()
            case "drop" | "drop without seek" | "fail":
                await self._lose(name)

    def _write(self, chunk: Chunk) -> None:
        self.written |= {record.offset for record in chunk.records}
        self.consumer.acknowledge(chunk)

    async def _rebalance(self) -> None:
        await self.consumer.on_partitions_revoked({TP0})
        self.consumer.resume_partitions({TP0})
        await self.consumer.perform_seek()
        self.consumer.resume_flow()
        self.waiting.clear()

    async def _seek_meanwhile(self) -> None:
        """Seek during a fetch while the flow is on, as Faust does where two rebalances follow each other closely."""
        self.log.while_fetching = self.consumer.perform_seek
        delivered = await fetch(self.consumer, self.log, {})
        self.log.while_fetching = None
        self.waiting.clear()
        self.waiting.extend(delivered)

    async def _lose(self, name: str) -> None:
        """Lose what a fetch returns, by a stop of the flow or by an error; the seek after it may fail too."""

        async def lose() -> None:
            if name == "fail":
                raise ConnectionError
            self.consumer.stop_flow()

        async def fail() -> None:
            raise ConnectionError

        self.log.while_fetching, self.log.while_seeking = lose, fail if name == "drop without seek" else None
        with suppress(ConnectionError):
            await fetch(self.consumer, self.log, {})
        self.log.while_fetching = self.log.while_seeking = None
        self.consumer.resume_flow()
        if name == "drop":
            self.waiting.clear()  # what was queued is delivered again


@given(record_or_not, steps)
def test_what_is_committed_is_written_and_at_last_all_of_it(has_record: list[bool], steps: list[Step]) -> None:
    log = Log(has_record)
    run = Run(log)

    asyncio.run(run.all(steps))

    assert log.committed == {TP0: LOG}
    assert run.written == {offset for offset in range(LOG) if has_record[offset]}
