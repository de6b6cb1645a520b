"""Finding the calls whose events contradict themselves."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from shared.contract.problems import STORED_KINDS
from shared.contract.timestamps import rfc3339
from shared.store.ids import names_of
from shared.store.models import ProblemCall
from shared.store.ports import CallRecords

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Which calls: those of one organization (None: all), that have a problem of one of the kinds (none: of any).

    Their last arrival is not before `since`, Unix milliseconds.
    """

    organization: str | None = None
    kinds: frozenset[str] = frozenset()
    since: int = 0

    def includes(self, call: ProblemCall) -> bool:
        return not self.kinds or any(call.problems.get(kind) for kind in self.kinds)


async def pages(store: CallRecords, limits: Limits) -> AsyncIterator[list[ProblemCall]]:
    """Yield the calls, the latest arrival first; a call to which an event arrives meanwhile may be left out.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    after = None
    while calls := await store.problem_calls(limits.organization, limits.since, after, PAGE):
        yield [call for call in calls if limits.includes(call)]
        after = calls[-1]


def described(call: ProblemCall) -> dict[str, object]:
    """Return what is printed of a call, by name."""
    organization, call_id = names_of(call.call)
    return {
        "last_arrival": rfc3339(call.last_arrival),
        "organization_id": organization,
        "call_id": call_id,
        "problem_count": sum(call.problems.values()),
        "problem_kinds": in_order(call.problems),
    }


def in_order(problems: Mapping[str, int]) -> dict[str, int]:
    """Return the counts in the order in which the contract lists the kinds."""
    kinds = [*STORED_KINDS, *sorted(problems.keys() - set(STORED_KINDS))]
    return {str(kind): problems[kind] for kind in kinds if problems.get(kind)}
