"""One command at a time for each folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import LocalError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder for this process. The kernel releases the lock even if the process is killed.

    Raises:
        LocalError: another process has locked it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(f"Another command is using {folder}: wait until it has finished.") from None
        yield
