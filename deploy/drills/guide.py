"""What a person is shown at the start of a drill: where to look, and nothing of what is wrong."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.drills.catalogue import DRILLS
from deploy.local import leftovers
from deploy.local.ports import Ports
from deploy.local.servers.prometheus import HOW_TO_GET
from deploy.local.stack import Stack

_WITHOUT_PROMETHEUS = f"{HOW_TO_GET}. `callfold lag` and /metrics are there all the same"


def listing() -> Iterator[str]:
    """Yield the lines that explain how to begin."""
    yield "A drill is a stack of its own under load, in which something is wrong. Find out what, with the tools of a"
    yield "night on duty. Ctrl-C ends it, and shows what it was. Nothing outside of the stack is touched."
    yield ""
    yield "  make drill FAULT='?'              draws one by chance, and does not name it"
    for drill in DRILLS.values():
        yield f"  make drill FAULT={drill.name:<16} {drill.title}"
    yield ""
    yield "FAULT='?' needs its quotes, as `?` is a pattern of the shell; FAULT=any is the same without them."


def guide(stack: Stack) -> Iterator[str]:
    """Yield the lines that lead to everything that can be looked at."""
    variables, addresses = stack.environment(), {member.name: member.address for member in stack.members()}
    yield "Something is wrong now. Where to look:"
    for title, where in (
        ("Commands", f"{_program('callfold')} --env {stack.dotenv} lag"),
        ("Monitor", f"{addresses['monitor']}/lag and /metrics"),
        ("Prometheus", addresses.get("prometheus", _WITHOUT_PROMETHEUS)),
        ("Worker", f"{addresses['worker']}/metrics, /healthz and /readyz"),
        ("API", addresses["api"]),
        ("Kafka", f"{variables['CALLFOLD_KAFKA_BOOTSTRAP']}, group callfold"),
        ("MongoDB", f"{variables['CALLFOLD_MONGO_URI']} (far away: a write takes 0.1 s in good hours)"),
        ("Ports", f"not those of the pages: {', '.join(_ports(stack.ports))}"),
        ("Logs", stack.supervision.logs),
        ("Services", f"{_program('python')} -m deploy.local status --state {stack.state}"),
        ("Processes", _processes(stack)),
        ("Pages", "docs/operations.md and docs/runbooks/README.md"),
    ):
        yield f"  {title:<11} {where}"
    yield f"Ctrl-C, or `kill {os.getpid()}`, ends the drill, and shows what it was."


def _program(name: str) -> Path:
    """Return the program of this environment as a shell in this folder calls it."""
    path = Path(sys.executable).with_name(name)
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _ports(ports: Ports) -> Iterator[str]:
    usual = Ports()
    yield f"{ports.metrics} for {usual.metrics} (worker)"
    yield f"{ports.monitor} for {usual.monitor} (monitor)"
    yield f"{ports.api} for {usual.api} (API)"


def _processes(stack: Stack) -> str:
    """Return the command that lists the processes of this stack alone: a service that is started again has a new id."""
    supervisor = leftovers.supervisor(stack.state)
    return f"ps -o pid,stat,etime,args --ppid {supervisor.pid}" if supervisor else "no process runs"
