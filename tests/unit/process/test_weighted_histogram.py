"""A histogram that takes many equal observations at once, compared with the library's own."""

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from shared.process.metric_set import MetricSet

BUCKETS = (0.05, 1, 5)
OBSERVED = [(0.0, 3), (0.05, 1), (0.06, 2), (5, 4), (5.1, 1), (1e9, 2)]


def samples(text: bytes) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(text.decode())
    found = [sample for family in families for sample in family.samples if "created" not in sample.name]
    return {(sample.name, sample.labels.get("le", "")): sample.value for sample in found}


def test_it_shows_what_the_library_shows_after_as_many_single_observations() -> None:
    metrics, registry = MetricSet(), CollectorRegistry()
    weighted = metrics.weighted_histogram("waits_seconds", "How long.", question="How long?", buckets=BUCKETS).series()
    usual = Histogram("waits_seconds", "How long.", buckets=BUCKETS, registry=registry)

    for amount, count in OBSERVED:
        weighted.observe(amount, count)
        for _ in range(count):
            usual.observe(amount)

    assert samples(metrics.text()) == samples(generate_latest(registry))
    assert samples(metrics.text())["waits_seconds_count", ""] == 13


def test_before_the_first_observation_all_buckets_are_there() -> None:
    metrics = MetricSet()
    metrics.weighted_histogram("waits_seconds", "How long.", question="How long?", buckets=BUCKETS).series()

    assert samples(metrics.text())["waits_seconds_bucket", "0.05"] == 0.0
    assert samples(metrics.text())["waits_seconds_bucket", "+Inf"] == 0.0


def test_each_value_of_its_label_has_a_series() -> None:
    metrics = MetricSet()
    steps = metrics.weighted_histogram("step_seconds", "How long.", "step", question="How long?", buckets=BUCKETS)

    steps.series("one").observe(0.5)
    steps.series("two").observe(0.5, 2)
    steps.series("two").observe(9)

    counts = [metrics.registry.get_sample_value("step_seconds_count", {"step": step}) for step in ("one", "two")]
    assert counts == [1, 3]
    assert metrics.descriptions[0].labels == ("step",)
