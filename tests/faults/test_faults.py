"""A short run with faults of each sort; the long ones are `make faults`."""

import pytest

from tests.faults.harness.run import Plan, run

KINDS = (
    "worker: kill -9",
    "worker: frozen beyond its session",
    "crash: after_insert",
    "mongod: kill -9 of the primary",
    "broker: kill -9",
    "way to MongoDB: lose answers",
)


@pytest.mark.timeout(900)
async def test_nothing_is_lost_doubled_or_different_after_a_short_run_with_faults() -> None:
    report = await run(Plan(seed=1, seconds=30, rate=100, kinds=KINDS), print)

    assert report.verdict.good, "\n".join(f"{name}: {value}" for name, value in report.rows())
    assert set(KINDS) <= set(report.faults)
    assert report.events > 2_000
