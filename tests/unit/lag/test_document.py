"""The lag as JSON."""

import json

from shared.lag.document import document
from shared.lag.history import History
from shared.lag.judge import judge
from tests.support.lag.partition import STOPPED, TOPIC, Phase, readings


def test_the_document_has_each_partition_and_the_total() -> None:
    lag = judge("callfold", History(readings(Phase(20), Phase(20, **STOPPED))))

    found = json.loads(json.dumps(document(lag), allow_nan=False))

    (partition,) = found.pop("partitions")
    assert found == {
        "at": "2027-01-15T08:00:40.000Z",
        "group": "callfold",
        "state": "empty",
        "members": 0,
        "kafka": "well",
        "mongodb": "well",
        "verdict": "no_owner",
        "cause": "no_worker",
        "since": "2027-01-15T08:00:21.000Z",
        "hidden": [],
        "total": {"lag": 10_500, "lag_seconds": 21.0, "drain_seconds": "never"},
    }
    assert partition == {
        "topic": TOPIC,
        "partition": 0,
        "verdict": "no_owner",
        "cause": "no_worker",
        "end": 20_000,
        "committed": 9_500,
        "lag": 10_500,
        "lag_seconds": 21.0,
        "arrivals_per_second": 500.0,
        "commits_per_second": 0.0,
        "drain_seconds": "never",
        "headroom_seconds": 604_779.0,
        "owner": None,
        "since": "2027-01-15T08:00:21.000Z",
    }


def test_what_is_not_known_is_null_and_not_zero() -> None:
    lag = judge("callfold", [])

    found = document(lag)

    assert found["total"] == {"lag": None, "lag_seconds": None, "drain_seconds": None}
    assert found["verdict"] == "unknown"
