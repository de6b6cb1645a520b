"""Keeping the services of a stack running: supervisord and its settings."""

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
from deploy.local.leftovers import MARK
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

# A service that ends within `startsecs` is tried again after one second, then two, then three, and so on: with so
# many retries for ever. One that ran longer is started again at once. Fifteen seconds are longer than any of ours
# takes to find out that it cannot start.
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

UNFIT = re.compile(r"%| [;#]|\n")
"""What a path in supervisord's settings cannot have: variables (expanded once or twice, by the setting), comments."""

LAUNCH_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Program:
    """A service that is kept running: its name, its command and the folder that it runs in."""

    name: str
    command: tuple[str, ...]
    folder: Path


class Supervision:
    """The supervisord of the stack in `state`; logs go to `state/log`."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.logs = state / "log"
        digest = hashlib.sha256(f"{os.getuid()}:{state}".encode()).hexdigest()[:16]
        # A unix socket's path has at most 107 characters, and the state may lie deep. TMPDIR will not do either: it
        # may be deep too, and may differ between the shell of `up` and the one of `down`.
        self.runtime = Path("/tmp") / f"callfold-{digest}"  # noqa: S108 - made below, checked to be ours alone
        self.client = SupervisorClient(self.runtime / "supervisor.sock")

    def log(self, name: str) -> Path:
        """Return where a service's output goes."""
        return self.logs / f"{name}.log"

    def launch(self, programs: Iterable[Program], environment: Mapping[str, str]) -> None:
        """Start supervisord in the background; it starts none of the programs yet.

        Raises:
            LocalError: it did not start.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        self._make_runtime()
        settings = self.state / "supervisord.conf"
        settings.write_text(self._settings(tuple(programs)), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - the command is ours
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(settings)],
            env={**environment, MARK: str(self.state)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us; we then stop it in order
            timeout=LAUNCH_WITHIN,
            check=False,
        )
        if done.returncode != 0:
            raise NotReadyError("supervisord", f"did not start: {done.stderr.strip()}", self.log("supervisord"))

    def clear(self) -> None:
        """Remove what supervisord needs only while it runs."""
        shutil.rmtree(self.runtime, ignore_errors=True)

    def _settings(self, programs: Sequence[Program]) -> str:
        for folder in (self.state, *(program.folder for program in programs)):
            if unfit := UNFIT.search(str(folder)):
                raise LocalError(f"{folder} has {unfit[0]!r} in it, which supervisord cannot cope with: move it.")
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
        # Whoever else made it could put another socket in the place of ours.
        if found.st_uid != os.getuid() or found.st_mode & 0o077 or self.runtime.is_symlink():
            raise LocalError(f"{self.runtime} is not this user's alone: remove it.")
