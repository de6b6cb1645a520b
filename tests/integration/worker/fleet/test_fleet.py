"""Workers of one fleet that were started with different settings."""

import json
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import HOST, free_port
from shared.config.price_book import SHIPPED
from tests.integration.worker.conftest import MakeWorker
from tests.support.api.program import running
from tests.support.callfold import run
from tests.support.eventually import eventually_blocking, scaled
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


@pytest.fixture
def other_price_book(tmp_path: Path) -> str:
    path = tmp_path / "prices.toml"
    path.write_text(SHIPPED.read_text().replace("version = ", "version = 'other' # "))
    return str(path)


@pytest.mark.usefixtures("worker")
def test_an_api_with_another_price_book_reports_it(mongo_uri: str, database: str, other_price_book: str) -> None:
    port = free_port()
    line = 'callfold_fleet_setting_differs{setting="price_book"} 1.0'

    with running(port, MONGO_URI=mongo_uri, MONGO_DATABASE=database, PRICE_BOOK=other_price_book):
        url = f"http://{HOST}:{port}/metrics"

        eventually_blocking(lambda: line in httpx.get(url, timeout=scaled(5)).text, scaled(60))


@pytest.mark.usefixtures("worker")
def test_a_rebuild_with_another_price_book_is_warned_of(mongo_uri: str, database: str, other_price_book: str) -> None:
    done = run("rebuild", mongo_uri=mongo_uri, mongo_database=database, price_book=other_price_book)

    assert b"warning: price_book here is other " in done.stderr
    assert b"which prices a call is rated by depends on who folds it" in done.stderr
