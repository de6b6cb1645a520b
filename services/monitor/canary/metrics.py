"""The metrics of the canary. They count synthetic calls alone."""

import time

from services.monitor.canary.run import CanaryReport, Observer, Result
from services.monitor.metrics import MONITOR
from shared.process.logs import logger

_BUCKETS = (0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 30, 60)

CALLS = MONITOR.counter(
    "callfold_canary_calls",
    "Canary calls, by result; one that was late and whose record is then wrong counts as both",
    ["result"],
    unit="calls",
    question="Does a call get through, from its publisher to its reader, and is its record right?",
)
READABLE_SECONDS = MONITOR.histogram(
    "callfold_canary_readable_seconds",
    "Time from publishing the start of a canary call to reading the call; of one that is not seen, the time waited",
    buckets=_BUCKETS,
    question="How soon can a reader see a call?",
)
FINAL_SECONDS = MONITOR.histogram(
    "callfold_canary_final_seconds",
    "Time from publishing the end of a canary call to reading its final, right record; else the time waited",
    buckets=_BUCKETS,
    question="How soon after its end is a record final?",
)
LAST_RIGHT = MONITOR.gauge(
    "callfold_canary_last_right_timestamp_seconds",
    "When the record of a canary call was last final and right in time; NaN before the first",
    question="Since when has no call got through?",
)
ERRORS = MONITOR.counter(
    "callfold_canary_errors",
    "Canary calls that ended with an internal error",
    unit="calls",
    question="Is the canary itself at fault?",
)

LAST_RIGHT.set(float("nan"))
for each in Result:
    CALLS.labels(each)

log = logger(__name__)


class MeasuredCalls(Observer):
    """Counts each call, and logs those that are not right."""

    def readable(self, seconds: float) -> None:
        READABLE_SECONDS.observe(seconds)

    def final(self, seconds: float) -> None:
        FINAL_SECONDS.observe(seconds)

    def result(self, report: CanaryReport) -> None:
        CALLS.labels(report.result).inc()
        match report.result:
            case Result.RIGHT:
                LAST_RIGHT.set(time.time())
            case Result.WRONG:
                log.error("canary_wrong", call=report.call_id, fields=list(report.wrong_fields))
            case _:
                log.warning("canary_not_right", call=report.call_id, result=report.result, why=report.why)
