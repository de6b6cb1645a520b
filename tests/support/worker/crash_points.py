"""Where a worker can die: the named points between its writes, and the end of the process at one of them."""

import os
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Self

VARIABLE = "CALLFOLD_TEST_CRASH"
"""The variable that names the point: `<point>`, or `<point>:<n>` for the n-th time that the process comes to it."""

_FIRST_STATUS = 100


class CrashPoint(StrEnum):
    """A moment in the flush, the commit or the fold at which the process may end.

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
    """A batch is in the log; its calls are not marked stale."""
    AFTER_LOOK = "after_look"
    """What is known of a batch's calls was read; nothing came of it."""
    BEFORE_MARK = "before_mark"
    """The marks of a batch, of which there are some, are to be written next."""
    AMID_MARK = "amid_mark"
    """Some marks of a batch are written, others are not."""
    AFTER_MARK = "after_mark"
    """All marks of a batch are written."""
    BEFORE_FLUSH_REDACTION = "before_flush_redaction"
    """A batch of opted-out calls is in the log, with all that was said."""
    AMID_FLUSH_REDACTION = "amid_flush_redaction"
    """Some documents of a batch are redacted, others are not."""
    AFTER_FLUSH_REDACTION = "after_flush_redaction"
    """A batch is redacted, and not acknowledged."""
    BEFORE_COMMIT = "before_commit"
    """A batch is written; its offsets are to be committed next."""
    AFTER_COMMIT = "after_commit"
    """The broker has said that the offsets are committed."""
    AFTER_CLAIM = "after_claim"
    """Calls are claimed, and nothing is done with them."""
    AFTER_READ = "after_read"
    """The log of claimed calls is read."""
    BEFORE_FOLDER_REDACTION = "before_folder_redaction"
    """A claimed call is found opted out; none of its documents is redacted by the folder."""
    AMID_FOLDER_REDACTION = "amid_folder_redaction"
    """Some documents of a claimed call are redacted, others are not."""
    AFTER_FOLDER_REDACTION = "after_folder_redaction"
    """All documents of a claimed call are redacted; its record is what it was."""
    BEFORE_REPLACE = "before_replace"
    """Claimed calls are folded, and nothing of it is stored."""
    AMID_REPLACE = "amid_replace"
    """Some records of a group are stored, others are not."""
    AFTER_REPLACE = "after_replace"
    """All records of a group are stored."""

    @property
    def exit_status(self) -> int:
        """What a process that died at this point ends with, and no other."""
        return _FIRST_STATUS + list(CrashPoint).index(self)


_OF_COMMITS = (CrashPoint.BEFORE_COMMIT, CrashPoint.AFTER_COMMIT)


class Crash:
    """Ends the process the n-th time that it comes to a point; without a point, never.

    What is acknowledged by then is committed first, by `commit`, unless the point is about commits: else whatever goes
    wrong would be covered by the next delivery of the same records.
    """

    commit: Callable[[], Awaitable[object]]

    def __init__(self, point: CrashPoint | None, times: int = 1) -> None:
        self._point = point
        self._left = times

    @classmethod
    def chosen(cls) -> Self:
        """Return what the environment asks for.

        Raises:
            ValueError: there is no such point.
        """
        point, _, times = os.environ.get(VARIABLE, "").partition(":")
        return cls(CrashPoint(point) if point else None, int(times or 1))

    def error_type(self, point: CrashPoint) -> bool:
        """Return whether the process is to end at this point."""
        return point is self._point

    async def reach(self, point: CrashPoint) -> None:
        """Come to a point: at the chosen one the process ends, without finalizers."""
        if point is not self._point:
            return
        self._left -= 1
        if self._left == 0:
            if point not in _OF_COMMITS:
                await self.commit()
            os.write(2, f"crashed at {point}\n".encode())
            os._exit(point.exit_status)
