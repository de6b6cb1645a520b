"""A pipeline that one could pick instead of ours: run, watched, stopped, and held to what it should have stored."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.ingest.draining import LOOK_SECONDS, Count, Drained, beginning
from benchmarks.stage import peak_megabytes
from deploy.local.errors import NotReadyError
from deploy.local.servers.process import Server

_STOP_WITHIN = 10.0


@dataclass(frozen=True)
class Peer:
    """A pipeline, how it is counted, and how often; `stored` is as exact as `count` is quick."""

    server: Server
    count: Count
    stored: Count
    every: float = LOOK_SECONDS

    async def drain(self, servers: Mapping[str, int], events: int, longest: float) -> Drained:
        """Return what it did until all `events` were there, or for `longest` seconds; `servers`: their processes.

        Raises:
            NotReadyError: it ended by itself.
            TimeoutError: it stored nothing.
            AssertionError: it did not store what it was given.
        """
        self.server.prepare()
        try:
            self.server.start()
            done, found = await self._watch(servers, events, longest)
        finally:
            self.server.stop(_STOP_WITHIN)
        self._verify(found, events)
        assert done.events, f"{self.server.name}: everything was there at the first look"
        return done

    async def _watch(self, servers: Mapping[str, int], events: int, longest: float) -> tuple[Drained, int]:
        pid = self.server.pid
        start = await beginning({**servers, "pipeline": pid}, self.count, check=self._check, every=self.every)
        found, seconds = start.events, 0.0
        while found < events and seconds < longest:
            self._check()
            await asyncio.sleep(self.every)
            found, seconds = self.count(), time.time() - start.at
        return Drained(found - start.events, seconds, start.consumed.seconds(), peak_megabytes(pid)), found

    def _check(self) -> None:
        if (how := self.server.ended()) is not None:
            raise NotReadyError(self.server.name, how, self.server.log)

    def _verify(self, found: int, events: int) -> None:
        stored = self.stored()
        # What it went on to store while it was being stopped is there too, if it was not given everything.
        right = stored == events if found >= events else found <= stored <= events
        assert right, f"{self.server.name}: {stored:,} events are stored, {found:,} were counted, of {events:,}"
