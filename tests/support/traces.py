"""What programs leave on a machine: command lines, environments, files that they hold open, files that they wrote."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

import psutil

TEMPORARY = {Path("/tmp"), Path("/dev/shm"), Path(tempfile.gettempdir())}  # noqa: S108 - looked through, not written
_OTHERS = "callfold-"
"""How the folders of the tests' servers begin, whose data and logs are the servers' own."""
_AROUND = 150
_MOST_BYTES = 64 * 1024 * 1024


class Traces:
    """Finds marks in what processes and their children leave.

    `words` are looked for everywhere, `numbers` only in what certainly comes from the processes: the folder, and what
    `watch` reads.
    """

    def __init__(self, folder: Path, words: tuple[bytes, ...], numbers: tuple[bytes, ...]) -> None:
        self._folder = folder
        self._words, self._numbers = words, numbers
        self._since = time.time()
        self.found: dict[str, str] = {}
        """Where a mark is, and what stands around it."""
        self.watched: set[int] = set()

    def look(self, where: str, content: bytes, *, certain: bool = True) -> None:
        """Add `where` to `found` if a mark is in the content."""
        for mark in (*self._words, *self._numbers) if certain else self._words:
            if (at := content.find(mark)) >= 0:
                self.found[where] = content[max(0, at - _AROUND) : at + _AROUND].decode(errors="replace")

    def watch(self, pid: int) -> None:
        """Look at a process and its children as they are now; one that has ended has nothing any more."""
        with suppress(psutil.NoSuchProcess):
            for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
                self._watch(process.pid)

    def look_at_files(self) -> None:
        """Look at every file of the folder, and at every new one of the machine's temporary folders."""
        for path in _files(self._folder, 0):
            self.look(str(path), path.read_bytes())
        for folder in TEMPORARY:
            for path in _files(folder, self._since):
                with suppress(OSError):
                    self.look(str(path), path.read_bytes(), certain=False)

    def _watch(self, pid: int) -> None:
        with suppress(OSError):
            folder = Path("/proc") / str(pid)
            for each in ("cmdline", "environ"):
                self.look(f"{each} of {pid}", (folder / each).read_bytes())
            self.watched.add(pid)
            for handle in (folder / "fd").iterdir():
                self._watch_open(handle)

    def _watch_open(self, handle: Path) -> None:
        with suppress(OSError):
            status = handle.stat()
            # Also one that was removed: it is on the disk as long as it is open.
            if S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES:
                self.look(f"open {handle.readlink()}", handle.read_bytes())


def _files(folder: Path, since: float) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(_OTHERS)]
        for path in (Path(root, name) for name in names):
            with suppress(OSError):
                status = path.lstat()
                if S_ISREG(status.st_mode) and status.st_mtime >= since and status.st_size <= _MOST_BYTES:
                    yield path
