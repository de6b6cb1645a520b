"""Replays that somebody looks at before confirming them; each is done at most once, however often it is confirmed."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from cachetools import TTLCache

from services.console.outages import away
from shared.contract.topics import Topics
from shared.dead_letters import reader
from shared.dead_letters.dead_letter import DeadLetter
from shared.dead_letters.errors import AmbiguousNumber, InvalidNumber, NoSuchDeadLetter, TooManyDeadLetters
from shared.dead_letters.replay import Group, Replay, Tally
from shared.dead_letters.scan import Scan, scan
from shared.dead_letters.selection import Selection
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.process.logs import logger
from shared.store.ports import Store, StoreUnavailable

MOST_READ = 20_000
"""A preview that would have to read more dead letters is refused."""

PREVIEW_SECONDS = 30.0

_MOST_KEPT = 500
_MOST_REMEMBERED = 50_000
_KEPT_SECONDS = 1_800.0
_LOGGED_NUMBERS = 50
_LOGGED_CHARACTERS = 200

log = logger(__name__)


@dataclass(slots=True)
class Action:
    """A replay that `account` has asked for: what it would do, and once it is confirmed, what became of it.

    `began` is when its preview began, by the monotonic clock. `id` is in the form that confirms it. `failure` is why it
    did not end well.
    """

    account: str
    selection: Selection
    again: bool
    began: float
    scan: Scan
    preview: Tally
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    run: Replay | None = None
    task: "asyncio.Task[None] | None" = None
    failure: str | None = None

    @property
    def is_running(self) -> bool:
        return self.task is not None and not self.task.done()

    @property
    def tally(self) -> Tally:
        """What was done so far; before that, what would be done."""
        return self.preview if self.run is None else self.run.tally


class Replays:
    """The replays of the last half hour, in memory: a restart ends the sessions that could confirm them too."""

    def __init__(self, kafka: KafkaAccess, topics: Topics, store: Store) -> None:
        self._kafka = kafka
        self._topics = topics
        self._store = store
        self._actions: TTLCache[str, Action] = TTLCache(_MOST_KEPT, _KEPT_SECONDS)
        self._sent: TTLCache[str, float] = TTLCache(_MOST_REMEMBERED, _KEPT_SECONDS)
        """When each `partition:offset` was sent back: the topic shows it only once a worker has refused it again."""
        self._replaying = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, key: str, account: str) -> Action | None:
        """Return the replay of this id, None if there is none, or it is another account's."""
        action: Action | None = self._actions.get(key)
        return action if action is not None and action.account == account else None

    async def preview(self, account: str, selection: Selection, *, again: bool) -> Action:
        """Return what a replay would do; nothing is sent.

        Raises:
            TooManyDeadLetters: more than `MOST_READ` would have to be read.
            NoSuchDeadLetter, InvalidNumber, AmbiguousNumber: the selection names one that does not exist.
            KafkaUnavailable, StoreUnavailable: one of them does not answer.
            TimeoutError: it takes longer than `PREVIEW_SECONDS`.
        """
        async with asyncio.timeout(PREVIEW_SECONDS):
            if selection.numbers:
                selection = replace(selection, since=await self._oldest(selection.numbers))
            topic, began = self._topics.dead_letter, monotonic()
            found = await scan(self._kafka, topic, selection, _unreported, most=MOST_READ)
            dry = Replay(self._kafka, self._topics, selection, again=again, dry=True)
            action = Action(account, selection, again, began, found, await dry.run(self._store, found, _unreported))
        self._actions[action.id] = action
        return action

    def confirm(self, action: Action) -> None:
        """Begin the replay, unless it has begun."""
        if action.task is None:
            self._actions[action.id] = action  # kept for as long again
            action.run = Replay(self._kafka, self._topics, action.selection, again=action.again, sent=self._remember)
            action.task = asyncio.create_task(self._run(action, action.run))
            self._tasks.add(action.task)
            action.task.add_done_callback(self._tasks.discard)

    async def _oldest(self, numbers: Sequence[str]) -> int:
        """Return when the first of these came: only later ones can have replaced any of them."""
        async with reader.opened(self._kafka, self._topics.dead_letter) as topic:
            moments: list[int] = [(await topic.get(number)).record.timestamp for number in numbers]
        return min(moments)

    async def _scan_again(self, action: Action) -> Scan:
        """Return the preview's scan with all that anybody has sent back since."""
        topic = self._topics.dead_letter
        async with asyncio.timeout(PREVIEW_SECONDS):
            now = await scan(self._kafka, topic, action.selection, _unreported, most=2 * MOST_READ)
        for sent, when in self._sent.items():
            if when >= action.began:
                now.replaced.add(sent)
        return replace(action.scan, replaced=now.replaced, seen=action.scan.replaced)

    def _remember(self, sent: DeadLetter) -> None:
        self._sent[f"{sent.record.partition}:{sent.record.offset}"] = monotonic()

    async def _run(self, action: Action, run: Replay) -> None:
        log.info("dead_letters_replay_begun", **_described(action))
        try:
            async with self._replaying:
                await run.run(self._store, await self._scan_again(action), _unreported)
        except KafkaUnavailable as error:
            action.failure = f"Kafka has not answered as it should: {error}"
        except StoreUnavailable as error:
            action.failure = away(error).rstrip(".")
        except TooManyDeadLetters:
            action.failure = "too many dead letters came since the preview: select them again"
        except TimeoutError:
            action.failure = "Kafka has not answered in time"
        except NoSuchDeadLetter as error:
            action.failure = str(error)
        except (AmbiguousNumber, InvalidNumber):  # the topic has got more partitions meanwhile
            action.failure = "the topic has changed meanwhile"
        except asyncio.CancelledError:
            action.failure = "the console was stopped meanwhile"
            raise
        except Exception:
            action.failure = "an internal error: the console's log has the details"
            log.exception("dead_letters_replay_failed", action=action.id)
        finally:
            tally = {"sent": run.tally.sent, "left_out": total(run.tally.skipped), "refused": total(run.tally.refused)}
            log.info("dead_letters_replayed", **_described(action), **tally, failed=action.failure is not None)


def total(groups: dict[str, Group]) -> int:
    return sum(group.count for group in groups.values())


def _described(action: Action) -> dict[str, object]:
    """Return who replays what, for the log."""
    chosen = action.selection
    limits = {"reasons": chosen.reasons, "organizations": chosen.organizations, "sources": chosen.sources}
    return {
        "account": action.account,
        "action": action.id,
        "again": action.again,
        "numbers": chosen.numbers[:_LOGGED_NUMBERS],
        "since": chosen.since,
        **{name: [(each or "")[:_LOGGED_CHARACTERS] for each in found] for name, found in limits.items()},
    }


def _unreported(_read: int) -> None:
    """Take note of nothing: a page shows no progress of reading."""
