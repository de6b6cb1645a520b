"""The status of the stack, a line for each service."""

from dataclasses import dataclass
from datetime import timedelta

from deploy.local import leftovers
from deploy.local.members import Member
from deploy.local.ports import listens
from deploy.local.stack import Stack
from deploy.local.supervisor_client import Report

WORDS = {
    "STARTING": "starting",
    "RUNNING": "starting",  # supervisord counts seconds; here a service runs when it answers
    "BACKOFF": "failing",
    "FATAL": "failing",
    "STOPPING": "stopping",
}


@dataclass(frozen=True, slots=True)
class Status:
    """One service: its state, process id (0: none), seconds since its start, and address."""

    title: str
    state: str
    pid: int
    uptime: int
    address: str

    @property
    def runs(self) -> bool:
        """Whether the service is ready."""
        return self.state == "running"

    def __str__(self) -> str:
        process = f"pid {self.pid:<8} up {timedelta(seconds=self.uptime)!s:<10}" if self.pid else ""
        return f"{self.title:<10} {self.state:<12} {process:<26} {self.address}".rstrip()


def status(stack: Stack) -> list[Status]:
    """Return the status of each member of the stack, in the order of their start.

    Raises:
        LocalError: supervisord runs but does not answer.
    """
    if not stack.runs():
        return [Status(member.title, "not running", 0, 0, member.address) for member in stack.members()]
    return [_status(stack.supervision.client.report(member.name), member) for member in stack.members()]


def orphans(stack: Stack) -> list[int]:
    """Return the processes that a killed supervisord left behind."""
    return [] if stack.runs() else [process.pid for process in leftovers.processes(stack.state)]


def _status(report: Report, member: Member) -> Status:
    if not report.pid or not listens(member.port):
        state = WORDS.get(report.state, "stopped")
    else:
        state = "running" if member.lacks() is None else "not ready"
    return Status(member.title, state, report.pid, report.uptime, member.address)
