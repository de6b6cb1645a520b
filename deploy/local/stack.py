"""The whole stack in the background: MongoDB, Kafka, the API, the worker, the monitor and the console."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Self

from deploy.local import leftovers, members
from deploy.local.credentials.canary_key import make_canary_key
from deploy.local.credentials.console_account import make_console_account
from deploy.local.environment import for_readers, for_services, make_secrets, write_dotenv
from deploy.local.errors import LocalError, NotReadyError
from deploy.local.interrupts import uninterrupted
from deploy.local.lock import locked
from deploy.local.members import Member
from deploy.local.ports import HOST, Ports
from deploy.local.servers.install import LIBS, install
from deploy.local.servers.java import find_java
from deploy.local.servers.kafka import KafkaServer
from deploy.local.servers.mongod import MongoServer, find_mongod
from deploy.local.servers.prometheus import PrometheusServer, is_installed
from deploy.local.servers.waiting import wait_until_ready
from deploy.local.supervision import Supervision

API = (sys.executable, "-m", "services.api")
WORKER = (sys.executable, "-m", "services.worker")
MONITOR = (sys.executable, "-m", "services.monitor")
CONSOLE = (sys.executable, "-m", "services.console")

READY_WITHIN = 120.0
"""Seconds that each member gets to become ready: enough for a slow machine to recover its data."""

Progress = Callable[[str], None]


def silent(_: str) -> None:
    """Report no progress."""


class Stack:
    """The stack with its data, logs, secrets and settings in `state`; supervisord keeps it running.

    It outlives this process, unless it is used as a context manager, which always stops it:

        with Stack(folder, Ports.free()) as stack:
            stack.start(print)
    """

    def __init__(
        self,
        state: Path,
        ports: Ports,
        *,
        libs: Path = LIBS,
        api: Sequence[str] = API,
        worker: Sequence[str] = WORKER,
        monitor: Sequence[str] = MONITOR,
        console: Sequence[str] = CONSOLE,
        prometheus: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`variables` stand in place of the stack's own in the environment of its services and readers.

        With `prometheus` it is part of the stack, where it is installed.
        """
        self.state = state.resolve()
        self.ports = ports
        self.libs = libs
        self.supervision = Supervision(self.state)
        self._commands = {"api": api, "worker": worker, "monitor": monitor, "console": console}
        self.watched = prometheus and is_installed()
        """Whether Prometheus is a member."""
        self._variables = dict(variables or {})

    @property
    def secrets(self) -> Path:
        return self.state / "secrets"

    @property
    def console(self) -> Path:
        """The folder of the console's accounts, and of the password of the one that the stack makes."""
        return self.state / "console"

    @property
    def console_address(self) -> str:
        return f"http://{HOST}:{self.ports.console}"

    @property
    def dotenv(self) -> Path:
        """The file of variables with which other programs find the stack."""
        return self.state / "callfold.env"

    def environment(self) -> dict[str, str]:
        """Return the variables with which a program finds the stack."""
        return for_readers(self.ports, self.secrets) | self._variables

    def members(self) -> tuple[Member, ...]:
        """Return the members in the order of their start; they stop in reverse."""
        return tuple(chain.from_iterable(self._groups()))

    def _groups(self) -> tuple[tuple[Member, ...], ...]:
        """Return the members that start, and stop, together: each group needs those before it."""
        prometheus = [members.prometheus(self._prometheus())] if self.watched else []
        return (
            (members.mongod(self._mongod()), members.kafka(self._kafka())),
            (members.api(self._commands["api"], self.ports), members.worker(self._commands["worker"], self.ports)),
            (
                members.monitor(self._commands["monitor"], self.ports),
                members.console(self._commands["console"], self.ports),
                *prometheus,
            ),
        )

    def runs(self) -> bool:
        """Return whether the stack runs. If it does, `ports` becomes the ports that it runs on."""
        if leftovers.supervisor(self.state) is None:
            return False
        self.ports = Ports.recall(self._remembered) or self.ports
        self.watched = self.supervision.knows("prometheus")
        return True

    def start(self, progress: Progress = silent) -> None:
        """Start what does not run, and return when events can be published and read.

        Raises:
            LocalError: a dependency is missing, or a member did not become ready. What this call started is stopped.
        """
        with locked(self.state):
            if self.runs():
                progress(f"The stack in {self.state} runs already")
                self._bring_up(progress, self._wait_for_return)
                return
            try:
                self._launch(progress)
                self._bring_up(progress, self._wait_for_start)
            except BaseException:
                with uninterrupted():
                    self._end(progress)
                raise

    def stop(self, progress: Progress = silent) -> bool:
        """Stop the stack, and what a killed supervisord left. Return whether anything ran."""
        if not self.state.is_dir() and not leftovers.processes(self.state):
            return False
        with locked(self.state), uninterrupted():
            return self._end(progress)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _remembered(self) -> Path:
        return self.state / "ports.json"

    def _mongod(self) -> MongoServer:
        return MongoServer(self.state / "mongod", self.ports.mongo)

    def _kafka(self) -> KafkaServer:
        return KafkaServer(self.state / "kafka", self.ports.kafka, self.libs)

    def _prometheus(self) -> PrometheusServer:
        targets = {"worker": self.ports.metrics, "api": self.ports.api, "monitor": self.ports.monitor}
        return PrometheusServer(self.state / "prometheus", self.ports.prometheus, targets)

    def _launch(self, progress: Progress) -> None:
        find_java()
        find_mongod()
        self._end_leftovers(progress)
        self.ports.check_free()
        install(progress, self.libs)
        progress(f"Preparing {self.state}")
        self._make_private_folders()
        self._mongod().prepare()
        self._kafka().prepare()
        if self.watched:
            self._prometheus().prepare()
        self._write_settings()
        programs = [member.program() for member in self.members()]
        self.supervision.launch(programs, self._services_environment())

    def _services_environment(self) -> dict[str, str]:
        return for_services(self.ports, self.secrets, self.console, watched=self.watched) | self._variables

    def _make_private_folders(self) -> None:
        """Make the folders of data and logs: what calls say is for their owner alone, as the secrets are."""
        for folder in (self.supervision.logs, self._mongod().folder, self._kafka().folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)  # one that an earlier version made

    def _write_settings(self) -> None:
        make_secrets(self.secrets)
        make_console_account(self.console)
        self.ports.remember(self._remembered)
        write_dotenv(self.dotenv, self.environment())

    def _bring_up(self, progress: Progress, wait_for: Callable[[Member], float]) -> None:
        servers, (api, worker), watching = self._groups()

        def start(*group: Member) -> None:
            for member in group:
                self.supervision.client.start(member.name)

        def wait(*group: Member) -> None:
            for member in group:
                self._report_when_ready(member, progress, wait_for)

        start(*servers)
        wait(*servers)
        start(api, worker)
        wait(api)
        make_canary_key(self.secrets, self._services_environment())
        start(*watching)
        wait(worker, *watching)

    def _report_when_ready(self, member: Member, progress: Progress, wait_for: Callable[[Member], float]) -> None:
        try:
            took = (self._wait_for_start if member.optional else wait_for)(member)
        except NotReadyError as error:
            if not member.optional:
                raise
            self.supervision.client.stop(member.name)
            progress(f"{error}\nThe stack runs without {member.title}")
        else:
            progress(f"{member.title} is ready ({took:.1f} s)")

    def _wait_for_start(self, member: Member) -> float:
        def ended() -> str | None:
            return self.supervision.client.report(member.name).ended

        return self._wait_for(member, ended)

    def _wait_for_return(self, member: Member) -> float:
        # supervisord starts a member that has just ended again, so this is no reason to stop waiting.
        return self._wait_for(member, lambda: None)

    def _wait_for(self, member: Member, ended: Callable[[], str | None]) -> float:
        log = self.supervision.log(member.name)
        return wait_until_ready(member.title, log, lacks=member.lacks, ended=ended, timeout=READY_WITHIN)

    def _end(self, progress: Progress) -> bool:
        supervisor = leftovers.supervisor(self.state)
        if supervisor is not None:
            with suppress(LocalError):  # on a signal, supervisord stops them in the same order
                self._stop_members(progress)
            leftovers.end(supervisor)
        left = self._end_leftovers(progress)
        self.supervision.clear()
        return left or supervisor is not None

    def _stop_members(self, progress: Progress) -> None:
        client = self.supervision.client
        self.watched = self.supervision.knows("prometheus")
        for group in reversed(self._groups()):
            for member in group:
                client.stop(member.name)
            for member in reversed(group):
                if pid := client.report(member.name).pid:
                    leftovers.wait_for_end(pid, leftovers.STOP_WITHIN)
                progress(f"Stopped {member.name}")

    def _end_leftovers(self, progress: Progress) -> bool:
        found = leftovers.processes(self.state)
        # The youngest first: later processes depend on earlier ones.
        for process in reversed(found):
            progress(f"Ending process {process.pid}, which an earlier run left behind")
            leftovers.end(process)
        return bool(found)
