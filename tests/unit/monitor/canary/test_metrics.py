"""What the canary counts and logs."""

import pytest
from structlog.testing import capture_logs

from services.monitor.canary import metrics
from services.monitor.canary.run import CanaryReport, Result
from services.monitor.metrics import MONITOR


def counted(result: str) -> float:
    return MONITOR.registry.get_sample_value("callfold_canary_calls_total", {"result": result}) or 0.0


def test_every_result_has_a_series_before_anything_happened() -> None:
    series = {sample.labels["result"] for metric in metrics.CALLS.collect() for sample in metric.samples}

    assert series == set(Result)


@pytest.mark.parametrize("result", list(Result))
def test_a_call_is_counted_by_its_result(result: Result) -> None:
    before = counted(result)

    metrics.MeasuredCalls().result(CanaryReport("canary-1", 0.0, result))

    assert counted(result) == before + 1


def test_a_wrong_record_is_logged_with_its_fields() -> None:
    report = CanaryReport("canary-1", 0.0, Result.WRONG, wrong_fields=["agent_id"])

    with capture_logs() as logged:
        metrics.MeasuredCalls().result(report)

    [line] = logged
    assert (line["log_level"], line["call"], line["fields"]) == ("error", "canary-1", ["agent_id"])


def test_a_right_record_sets_the_time_and_is_not_logged() -> None:
    with capture_logs() as logged:
        metrics.MeasuredCalls().result(CanaryReport("canary-1", 0.0, Result.RIGHT))

    assert logged == []
    assert (MONITOR.registry.get_sample_value("callfold_canary_last_right_timestamp_seconds") or 0) > 0
