"""Sending dead letters back to the topics that they came from (docs/decisions/0012)."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka.errors import KafkaError

from services.ops import kafka
from services.ops.database import Opening, translate_errors
from services.ops.dead_letters import reader
from services.ops.dead_letters.dead_letter import DeadLetter
from services.ops.dead_letters.ingested import identity, logged
from services.ops.dead_letters.reader import Found, Report
from services.ops.dead_letters.replayable import obstacle, sent_back
from services.ops.dead_letters.scan import Survey
from services.ops.dead_letters.selection import Selection
from services.ops.errors import INTERRUPTED, CommandError
from services.ops.settings import OpsSettings
from shared.contract.envelope import Event, decode
from shared.kafka.producer import RecordProducer
from shared.store.ports import Store

_GROUP_RECORDS = 500
_GROUP_BYTES = 4 * 1024 * 1024
_NAMED = 5
_LAST_WORDS_SECONDS = 2

_REPLACED = "refused again since: a later dead letter stands for it"
_TRIED = "sent back before and refused again; --again insists"
_LOGGED = "its event is in the log by now; --again insists"
_TOO_LARGE = "its topic does not take so large a record"


@dataclass(slots=True)
class Some:
    """How many there are, and the numbers of the first few."""

    count: int = 0
    first: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """How many dead letters were sent back; by reason, those that need not be and those that cannot be."""

    sent: int = 0
    left: dict[str, Some] = field(default_factory=dict)
    refused: dict[str, Some] = field(default_factory=dict)


class Replay:
    """One run. `again` insists on what was refused again or is in the log; a `dry` one sends nothing."""

    def __init__(self, settings: OpsSettings, selection: Selection, *, again: bool = False, dry: bool = False) -> None:
        self._settings = settings
        self._selection = selection
        self._again = again
        self._dry = dry
        self._sender = RecordProducer(settings.kafka, request_timeout_ms=kafka.TIMEOUT_MS)
        self.tally = Tally()

    async def run(self, opening: Opening, survey: Survey, report: Report) -> Tally:
        """Send back what is meant of what was there at the survey, and return when Kafka has acknowledged all of it.

        Raises:
            CommandError: Kafka or MongoDB does not answer, or Ctrl-C; says how many were sent back.
        """
        try:
            await kafka.partitions(self._settings.kafka, *self._settings.topics.inputs)
            async with opening(self._settings) as database:
                await self._run(database.store, survey, report)
        except asyncio.CancelledError:
            raise CommandError(f"interrupted; {self._account()}", INTERRUPTED) from None
        except CommandError as failure:
            raise CommandError(f"{failure}; {self._account()}", failure.code) from failure
        finally:
            # All was acknowledged, or will not be: an idempotent producer would else try for ever.
            with suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(_LAST_WORDS_SECONDS):
                    await self._sender.stop()
        return self.tally

    async def _run(self, store: Store, survey: Survey, report: Report) -> None:
        group: list[Found] = []
        size = 0
        async with reader.opened(self._settings, spans=survey.spans) as topic:
            async for record, letter in topic.chosen(self._selection, report):
                if not self._is_due(record, letter, survey):
                    continue
                group.append((record, letter))
                size += len(record.value or b"")
                if len(group) >= _GROUP_RECORDS or size >= _GROUP_BYTES:
                    await self._send(store, group)
                    group, size = [], 0
            await self._send(store, group)

    def _is_due(self, record: Any, letter: DeadLetter, survey: Survey) -> bool:
        # One that is named is insisted on; with limits, a record and its repetitions would grow with each run.
        named = self._again and self._selection.numbers
        if why := obstacle(record, letter, self._settings.topics):
            _note(self.tally.refused, why, letter)
        elif (record.partition, record.offset) in survey.replaced and not named:
            _note(self.tally.left, _REPLACED, letter)
        elif letter.replays and not self._again:
            _note(self.tally.left, _TRIED, letter)
        else:
            return True
        return False

    async def _send(self, store: Store, group: list[Found]) -> None:
        due = group if self._again else await self._not_logged(store, group)
        sent = {id(record := sent_back(*found)): (record, found[1]) for found in due}
        if due and not self._dry:
            async with asyncio.timeout(kafka.TIMEOUT_SECONDS):
                for record in await self._sender.deliver([record for record, _ in sent.values()]):
                    _note(self.tally.refused, _TOO_LARGE, sent.pop(id(record))[1])
        self.tally.sent += len(sent)

    async def _not_logged(self, store: Store, group: list[Found]) -> list[Found]:
        events = [decode(record.value, record.headers) for record, _ in group]
        valid = [event for event in events if isinstance(event, Event)]
        if not valid:  # the usual case, which needs no MongoDB
            return group
        with translate_errors(self._settings):
            there = await logged(store, valid)
        due: list[Found] = []
        for found, event in zip(group, events, strict=True):
            if isinstance(event, Event) and identity(event) in there:
                _note(self.tally.left, _LOGGED, found[1])
            else:
                due.append(found)
        return due

    def _account(self) -> str:
        return (
            f"{self.tally.sent} dead letters were sent back; of more that is not known: begin again, "
            "an event that comes twice counts once"
        )


def _note(reasons: dict[str, Some], why: str, letter: DeadLetter) -> None:
    some = reasons.setdefault(why, Some())
    some.count += 1
    if len(some.first) < _NAMED:
        some.first.append(letter.number)
