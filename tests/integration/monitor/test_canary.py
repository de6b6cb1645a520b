"""The canary on real Kafka, MongoDB, worker and API: what it finds, and what it makes of each that is away."""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deploy.local.ports import HOST, free_port
from services.monitor.canary.call import CALL_MS, CanaryCall
from services.monitor.canary.call_ids import call_id_on
from services.monitor.canary.http_reader import HttpReader
from services.monitor.canary.ports import Answer
from services.monitor.canary.publisher import KafkaEvents
from services.monitor.canary.run import CanaryReport, CanaryRun, Limits, Stage
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.process.clock import now_ms
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.client import Connection
from tests.support.api.client import PEPPER
from tests.support.api.server import ApiServer
from tests.support.canary import Observed
from tests.support.events.makers import event
from tests.support.eventually import scaled
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import publish
from tests.support.worker.process import WorkerProcess

ORGANIZATION = "callfold-canary"
IN_TIME = Limits(late=scaled(60), give_up=scaled(60))
SOON_LATE = Limits(late=1.5, give_up=1.5)


@dataclass
class System:
    """A whole Callfold, and a stage of the canary on it."""

    stage: Stage
    kafka: str
    worker: WorkerProcess
    api: ApiServer
    api_key: str
    api_secret: str

    def stage_with(self, reader: HttpReader) -> Stage:
        return replace(self.stage, reader=reader, limits=SOON_LATE, observer=Observed())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canary")


@pytest.fixture(scope="module")
def own_name() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
async def credentials(mongo_uri: str, own_name: str) -> tuple[str, str]:
    connection = Connection(MongoAccess(mongo_uri), own_name)
    key, secret = new_key(ORGANIZATION, PEPPER.encode())
    await MongoApiKeys(connection).add(key)
    await connection.close()
    return key.api_key, secret


@pytest.fixture(scope="module")
def api(mongo_uri: str, own_name: str, folder: Path) -> Iterator[ApiServer]:
    with ApiServer(folder, mongo_uri, own_name) as server:
        yield server


@pytest.fixture(scope="module")
async def worker(kafka_bootstrap: str, mongo_uri: str, own_name: str, folder: Path) -> AsyncIterator[WorkerProcess]:
    topics, wanted = Topics(own_name), Wanted(PARTITIONS, 1)
    await retry_until_available(
        "kafka", lambda: declare(KafkaAccess(kafka_bootstrap), topics, wanted), KafkaUnavailable
    )
    worker = WorkerProcess(kafka_bootstrap, mongo_uri, topics, own_name, folder)
    with worker:
        yield worker


@pytest.fixture(scope="module")
async def system(
    kafka_bootstrap: str, own_name: str, worker: WorkerProcess, api: ApiServer, credentials: tuple[str, str]
) -> AsyncIterator[System]:
    events = KafkaEvents(KafkaAccess(kafka_bootstrap))
    async with HttpReader(f"http://{api.address}", *credentials) as reader:
        stage = Stage(Topics(own_name), events, reader, limits=IN_TIME)
        yield System(stage, kafka_bootstrap, worker, api, *credentials)
    await events.stop()


def call(partition: int = 0) -> CanaryCall:
    return CanaryCall(ORGANIZATION, call_id_on(partition, PARTITIONS), now_ms() - CALL_MS)


async def followed(stage: Stage, followed_call: CanaryCall | None = None) -> CanaryReport:
    run = CanaryRun(followed_call or call(), stage)
    await run.run()
    return run.report


async def test_a_call_on_each_partition_is_right(system: System) -> None:
    reports = await asyncio.gather(*(followed(system.stage, call(number)) for number in range(PARTITIONS)))

    assert [(report.result, report.finality, report.wrong_fields) for report in reports] == [
        ("right", "final", ())
    ] * PARTITIONS
    assert all(0 < (report.readable_seconds or 0) < IN_TIME.late for report in reports)
    assert all(0 < (report.final_seconds or 0) < IN_TIME.late for report in reports)


async def test_a_record_is_read_once_and_then_only_asked_for(system: System) -> None:
    mine = call()
    await followed(system.stage, mine)

    first = await system.stage.reader.read(mine.call_id, Answer())
    again = await system.stage.reader.read(mine.call_id, first)

    assert first.record == mine.record()
    assert again.record is first.record
    assert again.finality == "final"


async def test_a_call_that_has_an_event_of_somebody_else_is_wrong(system: System) -> None:
    mine = call()
    intruder = event("call.updated", call=mine.call_id, organization=ORGANIZATION, at=mine.start, metadata={"n": 1})
    await publish(system.kafka, system.stage.topics, [intruder])

    report = await followed(replace(system.stage, limits=Limits(late=8, give_up=scaled(60))), mine)

    assert report.result == "wrong"
    assert list(report.wrong_fields) == ["metadata (more keys)"]


async def test_without_a_worker_a_call_is_late(system: System) -> None:
    observed = Observed()
    system.worker.signal(signal.SIGSTOP)
    try:
        report = await followed(replace(system.stage, limits=SOON_LATE, observer=observed))
    finally:
        system.worker.signal(signal.SIGCONT)

    assert (report.result, report.why) == ("late", None)
    assert len(observed.readable_seconds) == len(observed.final_seconds) == 1


async def test_an_api_that_is_away_is_named_and_says_nothing_of_freshness(system: System) -> None:
    async with HttpReader(f"http://{HOST}:{free_port()}", system.api_key, system.api_secret) as nowhere:
        stage = system.stage_with(nowhere)
        report = await followed(stage)

    assert report.result == "not_read"
    assert "cannot be reached" in str(report.why)
    assert isinstance(stage.observer, Observed)
    assert stage.observer.final_seconds == []


async def test_an_api_that_refuses_the_key_is_named_without_the_key(system: System) -> None:
    async with HttpReader(f"http://{system.api.address}", system.api_key, "another secret") as refused:
        report = await followed(system.stage_with(refused))

    assert (report.result, report.why) == ("not_read", "the API returned 401")


async def test_without_kafka_a_call_is_not_published(system: System) -> None:
    nowhere = KafkaEvents(KafkaAccess(f"{HOST}:{free_port()}"))

    report = await followed(replace(system.stage, publisher=nowhere))

    assert report.result == "not_published"
    assert "cannot be reached" in str(report.why)
