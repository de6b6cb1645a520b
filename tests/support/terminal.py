"""A program in a terminal: what it draws, and how it leaves the terminal."""

import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import ioctl

from tests.support.eventually import scaled

_ROWS, _COLUMNS = 40, 100


class Terminal:
    """The person's end of a terminal in which a program runs."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: int) -> None:
        self.process = process
        self.drawn = b""
        self._end = end
        self._before = termios.tcgetattr(end)

    @property
    def restored(self) -> bool:
        """Whether the terminal is in the mode that it was in before."""
        return termios.tcgetattr(self._end) == self._before

    def type(self, keys: bytes) -> None:
        os.write(self._end, keys)

    def read_until(self, text: bytes, seconds: float = 60) -> None:
        """Read what is drawn until the text is in it.

        Raises:
            AssertionError: it does not come.
        """
        until = time.monotonic() + scaled(seconds)
        while text not in self.drawn:
            assert time.monotonic() < until, self.drawn[-2_000:]
            if select.select([self._end], [], [], 0.2)[0]:
                self.drawn += os.read(self._end, 65_536)

    def wait(self) -> int:
        """Return the exit code; what the program still draws is read."""
        self.read_until(b"\x1b[?1049l")
        return self.process.wait(scaled(30))


@contextmanager
def terminal(command: Sequence[str | os.PathLike[str]], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a command in a terminal of its own."""
    end, programs_end = pty.openpty()
    ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    with subprocess.Popen(
        command,
        stdin=programs_end,
        stdout=programs_end,
        stderr=programs_end,
        env={**os.environ, "TERM": "xterm-256color", **environment},
        start_new_session=True,
        preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads run in the child
    ) as process:
        try:
            yield Terminal(process, end)
        finally:
            process.kill()
            os.close(programs_end)
            os.close(end)
