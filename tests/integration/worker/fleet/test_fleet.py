"""Workers of one fleet that were started with different settings."""

import json

from tests.integration.worker.conftest import MakeWorker
from tests.support.worker.process import WorkerProcess


def reported(worker: WorkerProcess) -> list[str]:
    lines = (json.loads(line) for line in worker.written().splitlines() if line.startswith("{"))
    return [line["setting"] for line in lines if line["event"] == "fleet_setting_differs"]


def test_a_worker_with_another_key_is_reported_at_its_start(make_worker: MakeWorker) -> None:
    first = make_worker().start().wait_until_ready()

    other = make_worker(log_id_hmac_key="another key for the hashes of tests").start().wait_until_ready()

    assert reported(first) == []
    assert reported(other) == ["log_id_hmac_key"]
    assert "another key for" not in other.written()
