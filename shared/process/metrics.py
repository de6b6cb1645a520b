"""Metrics that every program has, named by Prometheus' conventions; each program's own are in its `metrics.py`.

No metric names a call, an organization or a number, or quotes what was said in a call.
"""

from prometheus_client import REGISTRY, Counter

from shared.process.metric_set import MetricSet

PROCESS = MetricSet(REGISTRY)

DEPENDENCY_UNAVAILABLE = PROCESS.gauge(
    "callfold_dependency_unavailable",
    "1 while this dependency does not answer and the process retries: `mongodb`, `kafka`, `group` (the"
    " coordinator refuses the worker), `api` (the monitor's). Nothing is skipped meanwhile",
    ["dependency"],
    unit="0 or 1",
    question="Does it wait for somebody else?",
)
FLEET_SETTING_DIFFERS = PROCESS.gauge(
    "callfold_fleet_setting_differs",
    "1 while this setting is not that of the worker that started last: `rules`, `contract`, `price_book`,"
    " `policies`, `log_id_hmac_key`",
    ["setting"],
    unit="0 or 1",
    question="Do all programs work by the same rules?",
)
POOL_SECONDS = PROCESS.histogram(
    "callfold_fold_pool_duration_seconds",
    "Time to read and fold one large call in a process of the fold pool",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
    question="How long do large calls take?",
)
POOL_ENDED = PROCESS.counter(
    "callfold_fold_pool_processes_ended",
    "Processes of the fold pool that ended or were ended",
    unit="processes",
    question="Is a large call over a limit of memory or time?",
)


def total(counter: Counter, **labels: str) -> float:
    """Return the sum of a counter over the series that have these labels."""
    samples = [sample for metric in counter.collect() for sample in metric.samples if sample.name.endswith("_total")]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())
