"""What is asked of a store about old calls, and about those that opted out: what must not be kept.

Every method can be repeated: who was stopped between two of them begins again (docs/decisions/0011).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OptedOut:
    """A call that opted out."""

    call: str
    partition: int
    last_arrival: int


class RetentionStore(Protocol):
    """A part of the store's port. Moments are Unix milliseconds, a limit is a number of calls."""

    async def organizations(self) -> list[str]:
        """Return the organizations of all calls that may be buried, and perhaps of some others."""

    async def past_retention(self, organization: str, partitions: Collection[int], until: int, limit: int) -> list[str]:
        """Return calls of these partitions that may be buried and whose last arrival is not after `until`."""

    async def tombstone(self, calls: Collection[str], until: int) -> int:
        """Put a tombstone in place of those of these calls that are still outdated; return how many that were.

        It keeps whether the call had opted out; its log is still there.
        """

    async def tombstoned(self, partitions: Collection[int], limit: int) -> list[str]:
        """Return deleted calls of these partitions whose log may still be there."""

    async def delete_log(self, calls: Collection[str]) -> None:
        """Delete all that the log holds of these calls."""

    async def mark_purged(self, calls: Collection[str]) -> None:
        """Take in that the log of these deleted calls is gone."""

    async def expired_tombstones(self, partitions: Collection[int], until: int, limit: int) -> list[str]:
        """Return deleted calls of these partitions without a log, if neither deleted nor marked after `until`."""

    async def renew_tombstones(self, calls: Collection[str], until: int) -> None:
        """Say of those of these calls that are still outlived that their log is there, and their tombstones last."""

    async def expire_tombstones(self, calls: Collection[str], until: int) -> int:
        """Remove the tombstones of those of these calls that are still outlived; return how many that were."""

    async def opted_out_calls(
        self, partitions: Collection[int], after: tuple[int, str], before: int, limit: int
    ) -> list[OptedOut]:
        """Return calls of these partitions that opted out, in the order of last arrival and key, behind `after`.

        Their last arrival is `before` this.
        """

    async def unredacted(self, calls: Collection[str]) -> set[str]:
        """Return those of these calls of which the log holds a document that is not redacted."""
