"""An alert counts as without cause unless a fault that can bring it was there."""

import pytest

from tests.faults.alerts.explained import Alert, Happened, without_cause
from tests.faults.alerts.history import alerts_of

STALLED = Alert("CallfoldPartitionStalled", began=1_000, fired=1_120, ended=1_200)
KILLED = Happened("worker: kill -9", began=990, ended=1_010)


def of_mongodb(alert: str = "CallfoldDependencyUnavailable") -> Alert:
    return Alert(alert, began=1_000, fired=1_060, ended=1_070, dependency="mongodb")


@pytest.mark.parametrize(
    ("alert", "fault"),
    [
        (STALLED, KILLED),
        (STALLED, Happened("way to Kafka: stall", began=1_100, ended=1_110)),
        (of_mongodb(), Happened("mongod: kill -9 of all members", began=1_000, ended=1_059)),
    ],
)
def test_an_alert_is_explained_by_a_fault_that_can_bring_it(alert: Alert, fault: Happened) -> None:
    assert list(without_cause([alert], [fault])) == []


@pytest.mark.parametrize(
    ("alert", "fault"),
    [
        (STALLED, Happened("worker: kill -9", began=800, ended=900)),
        (STALLED, Happened("worker: kill -9", began=1_150, ended=1_160)),
        (STALLED, Happened("event: twice", began=990, ended=1_010)),
        (of_mongodb(), KILLED),
        (of_mongodb("CallfoldCanaryWrong"), KILLED),
    ],
    ids=["long over", "later than the alert", "harmless", "of another part", "none explains it"],
)
def test_any_other_fault_explains_nothing(alert: Alert, fault: Happened) -> None:
    assert list(without_cause([alert], [fault])) == [alert]


def test_the_history_of_an_alert_begins_when_it_was_pending_and_a_later_one_is_another() -> None:
    labels = {"alertname": "CallfoldPartitionStalled", "partition": "1", "severity": "page"}
    found = alerts_of(
        [
            {"metric": labels | {"alertstate": "pending"}, "values": [[100, "1"], [105, "1"], [200, "1"]]},
            {"metric": labels | {"alertstate": "firing"}, "values": [[110, "1"], [115, "1"], [205, "1"]]},
        ],
        step=5,
    )

    assert list(found) == [
        Alert("CallfoldPartitionStalled", began=100, fired=110, ended=115),
        Alert("CallfoldPartitionStalled", began=200, fired=205, ended=205),
    ]


def test_an_alert_that_was_only_pending_has_not_fired() -> None:
    labels = {"alertname": "CallfoldPartitionStalled", "severity": "page", "alertstate": "pending"}

    assert list(alerts_of([{"metric": labels, "values": [[100, "1"]]}], step=5)) == []
