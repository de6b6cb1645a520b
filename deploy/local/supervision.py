"""supervisord, which keeps the services of a stack running, and its configuration."""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError, NotReadyError
from deploy.local.leftovers import VARIABLE
from deploy.local.supervisor_client import SupervisorClient

SUPERVISOR = """\
[unix_http_server]
file={runtime}/supervisor.sock
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
logfile={log}/supervisord.log
logfile_maxbytes=10MB
logfile_backups=2
pidfile={runtime}/supervisord.pid
umask=077
"""

# A service that ends within `startsecs` is started again after one second, then two, then three, and so on, without
# an end. One that ran longer is started again at once. A service that cannot start ends well within 15 seconds.
PROGRAM = """
[program:{name}]
command={command}
directory={folder}
priority={priority}
autostart=false
autorestart=true
startsecs=15
startretries=1000000
stopwaitsecs=40
killasgroup=true
redirect_stderr=true
stdout_logfile={log}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""

UNSUPPORTED = re.compile(r"%| [;#]|\n")
"""What a path must not contain, because supervisord expands `%` and takes the others for comments or line ends."""

LAUNCH_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Program:
    """A service for supervisord: its name, its command and its working folder."""

    name: str
    command: tuple[str, ...]
    folder: Path


class Supervision:
    """The supervisord of the stack in `state`; logs go to `state/log`."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.logs = state / "log"
        self._file = state / "supervisord.conf"
        digest = hashlib.sha256(f"{os.getuid()}:{state}".encode()).hexdigest()[:16]
        # A unix socket's path has at most 107 characters, so the state folder may be too deep. TMPDIR may be too, and
        # may differ between `up` and `down`.
        self.runtime = Path("/tmp") / f"callfold-{digest}"  # noqa: S108 - its owner and mode are checked below
        self.client = SupervisorClient(self.runtime / "supervisor.sock")

    def log(self, name: str) -> Path:
        """Return the file of a service's output."""
        return self.logs / f"{name}.log"

    def launch(self, programs: Iterable[Program], environment: Mapping[str, str]) -> None:
        """Start supervisord in the background, without its programs.

        Raises:
            LocalError: it did not start.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        self._make_runtime()
        self._file.write_text(self._settings(tuple(programs)), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._file)],
            env={**environment, VARIABLE: str(self.state)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C interrupts only this process, which then stops supervisord
            timeout=LAUNCH_WITHIN,
            check=False,
        )
        if done.returncode != 0:
            raise NotReadyError("supervisord", f"did not start: {done.stderr.strip()}", self.log("supervisord"))

    def knows(self, name: str) -> bool:
        """Return whether the supervisord that was launched last has this program."""
        return self._file.exists() and f"[program:{name}]" in self._file.read_text(encoding="utf-8")

    def clear(self) -> None:
        """Remove the files that supervisord needs only while it runs."""
        shutil.rmtree(self.runtime, ignore_errors=True)

    def _settings(self, programs: Sequence[Program]) -> str:
        for folder in (self.state, *(program.folder for program in programs)):
            if unsupported := UNSUPPORTED.search(str(folder)):
                raise LocalError(f"supervisord does not support {unsupported[0]!r} in a path: move {folder}.")
        paths = {"runtime": self.runtime, "log": self.logs}
        sections = [
            PROGRAM.format(
                name=program.name,
                command=shlex.join(program.command).replace("%", "%%"),
                folder=program.folder,
                priority=priority,
                **paths,
            )
            for priority, program in enumerate(programs, start=1)
        ]
        return SUPERVISOR.format(**paths) + "".join(sections)

    def _make_runtime(self) -> None:
        self.runtime.mkdir(mode=0o700, exist_ok=True)
        found = self.runtime.lstat()
        # Another user who made the folder could replace the socket in it.
        if found.st_uid != os.getuid() or found.st_mode & 0o077 or self.runtime.is_symlink():
            raise LocalError(f"{self.runtime} belongs to another user, or others may write to it: remove it.")
