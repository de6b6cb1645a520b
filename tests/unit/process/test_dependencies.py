"""The status of a dependency: the gauge and the log lines."""

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.process.dependencies import DependencyStatus, expected_within, known
from tests.support.eventually import eventually


def unavailable() -> float | None:
    return REGISTRY.get_sample_value("callfold_dependency_unavailable", {"dependency": "a server"})


def test_each_error_of_an_outage_is_logged_once_and_the_recovery_once() -> None:
    status = DependencyStatus("a server")

    with capture_logs() as logs:
        for error in ("no primary", "no primary", "authentication failed", "no primary"):
            status.unavailable(error)
        status.recovered(attempts=4)
        status.recovered(attempts=1)

    assert logs == [
        {
            "event": "dependency_unavailable",
            "dependency": "a server",
            "error": "no primary",
            "log_level": "warning",
        },
        {
            "event": "dependency_unavailable",
            "dependency": "a server",
            "error": "authentication failed",
            "log_level": "warning",
        },
        {"event": "dependency_recovered", "dependency": "a server", "attempts": 4, "log_level": "info"},
    ]


def test_the_next_outage_is_logged_again() -> None:
    status = DependencyStatus("a server")
    status.unavailable("no primary")
    status.recovered()

    with capture_logs() as logs:
        status.unavailable("no primary")
        status.recovered()

    assert [line["event"] for line in logs] == ["dependency_unavailable", "dependency_recovered"]


def test_one_that_recovers_does_not_hide_the_outage_that_another_finds() -> None:
    one, another = DependencyStatus("a server"), DependencyStatus("a server")
    one.unavailable("away")
    another.unavailable("away")

    one.recovered()
    one_left = unavailable()
    another.recovered()

    assert (one_left, unavailable()) == (1, 0)


def test_what_is_withdrawn_is_not_logged_as_a_recovery() -> None:
    status = DependencyStatus("a server")
    status.unavailable("away")

    with capture_logs() as logs:
        status.withdraw()
        status.recovered()

    assert (logs, unavailable()) == ([], 0)


def test_errors_without_an_end_are_not_logged_without_an_end() -> None:
    status = DependencyStatus("a server")

    with capture_logs() as logs:
        for port in range(1_000):
            status.unavailable(f"no answer on port {port}")
    status.recovered()

    assert len(logs) < 100


async def test_what_takes_longer_than_expected_is_reported_while_it_lasts() -> None:
    with expected_within(0.0, "a server"):
        await eventually(lambda: unavailable() == 1)

    assert unavailable() == 0


def test_several_that_find_the_same_log_it_once_and_the_recovery_when_the_last_has_its_answer() -> None:
    one, another = DependencyStatus("a server"), DependencyStatus("a server")

    with capture_logs() as logs:
        one.unavailable("away")
        another.unavailable("away")
        one.recovered(attempts=1)
        another.recovered(attempts=2)

    assert [(line["event"], line.get("attempts")) for line in logs] == [
        ("dependency_unavailable", None),
        ("dependency_recovered", 2),
    ]


def test_a_recovery_is_logged_where_the_last_that_waits_gives_up() -> None:
    one, another = DependencyStatus("a server"), DependencyStatus("a server")
    one.unavailable("away")
    another.unavailable("away")

    with capture_logs() as logs:
        one.recovered()
        another.withdraw()

    assert [line["event"] for line in logs] == ["dependency_recovered"]


def test_a_dependency_is_shown_before_its_first_outage() -> None:
    known("one that never failed")

    assert REGISTRY.get_sample_value("callfold_dependency_unavailable", {"dependency": "one that never failed"}) == 0
