"""The worker whose folds fail: one call's ends the process, another's takes long.

CALLFOLD_TEST_DEADLY=org-789/call-1 python -m tests.support.worker.failing_folds
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from services.worker.__main__ import main
from shared.store.models import FoldResult, Lease, LogDocument
from shared.store.ports import Store
from tests.mutants.worker.planted import planted
from tests.support.eventually import eventually

DEADLY = "CALLFOLD_TEST_DEADLY"
"""The variable that names the call whose fold ends the process."""
HELD = "CALLFOLD_TEST_HELD"
"""The variable that names a file: no fold ends as long as it is there."""
LEASES = "CALLFOLD_TEST_LEASES"
"""The variable that names the file to which each lease is added, a line each: the call's key."""

EXIT_STATUS = 99

_HELD_AT_MOST = 600.0


class FailingStore:
    """A store with which folds fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        leases = await self._store.lease(calls, token)
        if LEASES in os.environ:
            with Path(os.environ[LEASES]).open("a") as file:  # noqa: ASYNC230 - a few lines
                file.writelines(f"{lease.call}\n" for lease in leases)
        return leases

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        if os.environ.get(DEADLY) in calls:
            os._exit(EXIT_STATUS)
        return await self._store.read(calls)

    async def store_results(self, leases: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        held = os.environ.get(HELD)
        if held is not None:
            await eventually(lambda: not Path(held).exists(), within=_HELD_AT_MOST)
        return await self._store.store_results(leases)


if __name__ == "__main__":
    main(lambda found: planted(replace(found, store=cast(Store, FailingStore(found.store)))))
