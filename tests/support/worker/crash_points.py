"""Crash points: named moments between a worker's writes, at one of which its process ends."""

import os
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Self

VARIABLE = "CALLFOLD_TEST_CRASH"
"""The variable that names the point: `<point>`, or `<point>:<n>` for the n-th time that the process reaches it."""

_FIRST_STATUS = 100


class CrashPoint(StrEnum):
    """A moment in the write of a batch, the commit or the fold at which the process may end.

    The points amid a call that writes several things are come to when the first half of them is written; a call that
    writes one thing passes them by.
    """

    AMID_DEAD_LETTERS = "amid_dead_letters"
    """Some dead letters of a batch are delivered, others are not."""
    AFTER_DEAD_LETTERS = "after_dead_letters"
    """All dead letters of a batch are delivered, nothing of it is in the log."""
    BEFORE_INSERT = "before_insert"
    """Nothing of a batch is in the log."""
    AMID_INSERT = "amid_insert"
    """Some documents of a batch are in the log, others are not."""
    AFTER_INSERT = "after_insert"
    """A batch is in the log, and no state is read."""
    AFTER_READ_STATES = "after_read_states"
    """The states of a batch's calls are read, and nothing is updated."""
    BEFORE_MARK = "before_mark"
    """The updates of a batch, of which there are some, are written next."""
    AMID_MARK = "amid_mark"
    """Some updates of a batch are written, others are not."""
    AFTER_MARK = "after_mark"
    """All updates of a batch are written."""
    BEFORE_BATCH_REDACTION = "before_batch_redaction"
    """A batch of opted-out calls is in the log, unredacted."""
    AMID_BATCH_REDACTION = "amid_batch_redaction"
    """Some documents of a batch are redacted, others are not."""
    AFTER_BATCH_REDACTION = "after_batch_redaction"
    """A batch is redacted, and not acknowledged."""
    BEFORE_COMMIT = "before_commit"
    """A batch is written; its offsets are committed next."""
    AFTER_COMMIT = "after_commit"
    """The broker has confirmed that the offsets are committed."""
    AFTER_LEASE = "after_lease"
    """Calls are leased, and nothing is done with them."""
    AFTER_READ = "after_read"
    """The logs of leased calls are read."""
    BEFORE_FOLD_REDACTION = "before_fold_redaction"
    """A leased call is opted out; the fold has redacted none of its documents."""
    AMID_FOLD_REDACTION = "amid_fold_redaction"
    """Some documents of a leased call are redacted, others are not."""
    AFTER_FOLD_REDACTION = "after_fold_redaction"
    """All documents of a leased call are redacted; its record is unchanged."""
    BEFORE_STORE = "before_store"
    """Leased calls are folded, and no result is stored."""
    AMID_STORE = "amid_store"
    """Some records of a group are stored, others are not."""
    AFTER_STORE = "after_store"
    """All records of a group are stored."""

    @property
    def exit_status(self) -> int:
        """The exit status of a process that ended at this point, and of no other."""
        return _FIRST_STATUS + list(CrashPoint).index(self)


_OF_COMMITS = (CrashPoint.BEFORE_COMMIT, CrashPoint.AFTER_COMMIT)


class Crash:
    """Ends the process the n-th time that it reaches a point; without a point, never.

    What is acknowledged by then is committed first, by `commit`, unless the point is about commits: else whatever goes
    wrong would be covered by the next delivery of the same records.
    """

    commit: Callable[[], Awaitable[object]]

    def __init__(self, point: CrashPoint | None, times: int = 1) -> None:
        self._point = point
        self._left = times

    @classmethod
    def chosen(cls) -> Self:
        """Return the crash that the environment sets.

        Raises:
            ValueError: there is no such point.
        """
        point, _, times = os.environ.get(VARIABLE, "").partition(":")
        return cls(CrashPoint(point) if point else None, int(times or 1))

    def error_type(self, point: CrashPoint) -> bool:
        """Return whether the process is to end at this point."""
        return point is self._point

    async def reach(self, point: CrashPoint) -> None:
        """Reach a point: at the chosen one the process ends, without finalizers."""
        if point is not self._point:
            return
        self._left -= 1
        if self._left == 0:
            if point not in _OF_COMMITS:
                await self.commit()
            os.write(2, f"crashed at {point}\n".encode())
            os._exit(point.exit_status)
