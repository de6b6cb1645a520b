"""What the monitor and Prometheus show of a stack, and how long a drill takes to be seen and to be over."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from deploy.drills.catalogue import Drill
from shared.lag.models import Cause, Verdict

_PAUSE = 0.25
_TIMEOUT = 5.0
_CALM = 3
"""So many looks in a row must show that a fault is over."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One look: the verdict and cause of the group, those of each partition, and the states of alerts by name."""

    verdict: Verdict
    cause: Cause
    partitions: tuple[tuple[Verdict, Cause], ...]
    alerts: dict[str, str]

    def calm(self, alerts: frozenset[str]) -> bool:
        """Return whether nothing is wrong, and none of these alerts is there."""
        return self.verdict is Verdict.OK and not alerts & self.alerts.keys()


class Watch:
    """Looks at the monitor, and at Prometheus where it runs."""

    def __init__(self, monitor: str, prometheus: str | None) -> None:
        """Take the URLs of both."""
        self._monitor = monitor
        self._prometheus = prometheus
        # Not through a proxy of the environment.
        self._client = httpx.Client(timeout=_TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def wanted(self, drill: Drill) -> frozenset[str]:
        """Return the alerts of a drill; none where nothing could show them."""
        return drill.alerts if self._prometheus else frozenset()

    def look(self) -> Shown:
        """Return what is shown now; all is unknown where the monitor has not read yet."""
        lag = self._get(f"{self._monitor}/lag")
        return Shown(
            Verdict(lag.get("verdict", Verdict.UNKNOWN)),
            Cause(lag.get("cause", Cause.UNKNOWN)),
            tuple((Verdict(part["verdict"]), Cause(part["cause"])) for part in lag.get("partitions", ())),
            dict(self._alerts()),
        )

    def _alerts(self) -> Iterator[tuple[str, str]]:
        if self._prometheus is None:
            return
        for alert in self._get(f"{self._prometheus}/api/v1/alerts")["data"]["alerts"]:
            yield alert["labels"]["alertname"], alert["state"]

    def _get(self, url: str) -> Any:
        return self._client.get(url).json()


@dataclass(slots=True)
class Detection:
    """What was seen of a drill, and after how many seconds: None where it was not seen."""

    drill: Drill
    alerts: frozenset[str]
    """Those of the drill, as far as they can be seen."""
    verdict: Verdict | None = None
    cause: Cause | None = None
    alert: str | None = None
    verdict_seconds: float | None = None
    alert_seconds: float | None = None
    seen: list[str] = field(default_factory=list)
    """Each change of what was shown, for a person who asks why the rest was not seen."""

    @property
    def complete(self) -> bool:
        return self.verdict_seconds is not None and (self.alert_seconds is not None or not self.alerts)

    @property
    def seconds(self) -> float | None:
        """Return the time to detect: until verdict, cause and alert are there."""
        if not self.complete:
            return None
        return max(self.verdict_seconds or 0.0, self.alert_seconds or 0.0)

    def observe(self, shown: Shown, seconds: float) -> None:
        counts = Counter(f"{verdict}/{cause}" for verdict, cause in shown.partitions)
        line = f"{shown.verdict} {shown.cause} {dict(counts)} {sorted(shown.alerts.items())}"
        if not self.seen or not self.seen[-1].endswith(line):
            self.seen.append(f"{seconds:5.1f} s  {line}")
        if self.verdict_seconds is None and _fits(self.drill, shown):
            self.verdict, self.cause, self.verdict_seconds = shown.verdict, shown.cause, seconds
        if self.alert_seconds is None and (alerts := sorted(self.alerts & shown.alerts.keys())):
            self.alert, self.alert_seconds = f"{alerts[0]} {shown.alerts[alerts[0]]}", seconds


def _fits(drill: Drill, shown: Shown) -> bool:
    if shown.verdict not in drill.verdicts or shown.cause not in drill.causes:
        return False
    alike = [verdict for verdict, _ in shown.partitions if verdict is shown.verdict]
    return not drill.one_partition or len(alike) == 1


def detect(watch: Watch, drill: Drill, within: float) -> Detection:
    """Return what is seen of a drill's fault, which is there, within so many seconds."""
    found, began = Detection(drill, watch.wanted(drill)), time.monotonic()
    while not found.complete and (seconds := time.monotonic() - began) < within:
        found.observe(watch.look(), seconds)
        time.sleep(_PAUSE)
    return found


def wait_until_calm(look: Callable[[], Shown], alerts: frozenset[str], within: float) -> Shown:
    """Return the last look: nothing is wrong any more, or the time is over."""
    deadline, calm = time.monotonic() + within, 0
    while True:
        shown = look()
        calm = calm + 1 if shown.calm(alerts) else 0
        if calm == _CALM or time.monotonic() > deadline:
            return shown
        time.sleep(_PAUSE)
