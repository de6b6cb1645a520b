"""One drill after the other on one stack, each watched until it is seen and until it is over; the table of all."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deploy.drills.catalogue import Drill
from deploy.drills.scene import Scene
from deploy.drills.watching import Detection, Shown, Watch, detect, wait_until_calm
from deploy.local.stack import Progress

CLEAR_WITHIN = 90.0
"""Seconds in which all is as before after the end of a fault, the restart of a server included."""

_HEAD = ("drill", "verdict", "cause", "alert", "seconds to the verdict", "to the alert", "until it was over")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What was seen of a drill, what was shown in the end, and how many seconds it took from the end of the fault."""

    detection: Detection
    after: Shown
    cleared_seconds: float


def watch_of(on: Scene) -> Watch:
    """Return what looks at the monitor and Prometheus of a stack."""
    addresses = {member.name: member.address for member in on.stack.members()}
    return Watch(addresses["monitor"], addresses.get("prometheus"))


def rehearse(on: Scene, watch: Watch, drill: Drill, progress: Progress, patience: float = 1.0) -> Rehearsal:
    """Bring a drill's fault, watch it until it is seen, end it, and watch until it is over; times are scaled."""
    before = wait_until_calm(watch.look, drill.alerts, CLEAR_WITHIN * patience)
    progress(f"{drill.name}: {before.verdict} before")
    with drill.fault(on):
        found = detect(watch, drill, drill.within * patience)
    progress(f"{drill.name}: seen after {found.seconds} s: {found.verdict}, {found.cause}, {found.alert}")
    ended = time.monotonic()
    after = wait_until_calm(watch.look, drill.passing, CLEAR_WITHIN * patience)
    took = time.monotonic() - ended
    progress(f"{drill.name}: {after.verdict} {took:.1f} s after its end")
    return Rehearsal(found, after, took)


def rows(rehearsals: Iterable[Rehearsal]) -> Iterator[str]:
    """Yield the lines of a table in Markdown, each as soon as its drill is over."""
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    for each in rehearsals:
        found = each.detection
        named = (f"`{found.drill.name}`", f"`{found.verdict}`", f"`{found.cause}`", found.alert or "-")
        times = (found.verdict_seconds, found.alert_seconds, each.cleared_seconds)
        yield f"| {' | '.join([*named, *('-' if time is None else f'{time:.1f}' for time in times)])} |"
