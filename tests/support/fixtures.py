"""Fixtures for tests with real servers: one broker and one database for all, names of its own for each test."""

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.servers.process import Server
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.store.mongo.client import Connection, Driver
from tests.support.servers.servers import kafka_server, mongo_server

PARTITIONS = 3


@pytest.fixture(scope="session")
def kafka() -> Iterator[Server]:
    with kafka_server() as server:
        yield server


@pytest.fixture(scope="session")
def mongo() -> Iterator[Server]:
    with mongo_server() as server:
        yield server


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka: Server) -> str:
    return kafka.address


@pytest.fixture(scope="session")
def mongo_uri(mongo: Server) -> str:
    return f"mongodb://{mongo.address}/?replicaSet=rs"


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def topics(kafka_bootstrap: str, name: str) -> Topics:
    topics = Topics(name)
    await retry_until_available(
        "kafka", lambda: declare(KafkaAccess(kafka_bootstrap), topics, Wanted(PARTITIONS, 1)), KafkaUnavailable
    )
    return topics


@pytest.fixture
async def database(mongo_uri: str, name: str) -> AsyncIterator[str]:
    yield name
    connection = Connection(MongoAccess(mongo_uri), name)
    await connection.drop()
    await connection.close()


@pytest.fixture
def driver() -> Driver:
    return "motor"


@pytest.fixture
async def connection(mongo_uri: str, database: str, driver: Driver) -> AsyncIterator[Connection]:
    connection = Connection(MongoAccess(mongo_uri), database, driver=driver)
    yield connection
    await connection.close()
