"""What a person is shown at the start of a drill: where to look, and nothing of what is wrong."""

import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.drills.catalogue import DRILLS
from deploy.local.stack import Stack


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
    programs = Path(sys.executable).parent
    yield "Something is wrong now. Where to look:"
    for title, where in (
        ("Commands", f"{programs}/callfold --env {stack.dotenv} lag"),
        ("Monitor", f"{addresses['monitor']}/lag and /metrics"),
        ("Prometheus", addresses.get("prometheus", "is not installed")),
        ("Worker", f"{addresses['worker']}/metrics, /healthz and /readyz"),
        ("API", addresses["api"]),
        ("Kafka", f"{variables['CALLFOLD_KAFKA_BOOTSTRAP']}, group callfold"),
        ("MongoDB", f"{variables['CALLFOLD_MONGO_URI']} (far away: a write takes 0.1 s in good hours)"),
        ("Logs", stack.supervision.logs),
        ("Services", f"{programs}/python -m deploy.local status --state {stack.state}"),
        ("Processes", "ps -eo pid,stat,etime,args | grep -e services[.] -e mongo[d] -e kafk[a]"),
        ("Pages", "docs/operations.md and docs/runbooks/README.md"),
    ):
        yield f"  {title:<11} {where}"
    yield "Ctrl-C ends the drill, and shows what it was."
