"""Who is asked: our API and the tutorial's program, each a process of its own."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import httpx

from benchmarks.read.tutorial import MONGO_DATABASE, MONGO_DRIVER, MONGO_URI
from benchmarks.read.wrk import Question
from deploy.local.ports import free_port
from deploy.local.servers.process import Server
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.client import Connection, Driver
from tests.support.api.client import PEPPER
from tests.support.api.server import ApiServer
from tests.support.events.makers import Json

_ROOT = Path(__file__).parents[2]


class Tutorial(Server):
    """The tutorial's program under uvicorn, as fast as uvicorn is, and without a line for each request."""

    name: ClassVar[str] = "tutorial"

    def __init__(self, folder: Path, mongo_uri: str, database: str, driver: Driver) -> None:
        super().__init__(folder, free_port())
        self._settings = {MONGO_URI: mongo_uri, MONGO_DATABASE: database, MONGO_DRIVER: driver}

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        program = ["benchmarks.read.tutorial:app", "--app-dir", str(_ROOT), "--port", str(self.port)]
        return [sys.executable, "-m", "uvicorn", *program, "--no-access-log"]

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self._settings}

    def lacks(self) -> str | None:
        try:
            return None if httpx.get(f"http://{self.address}/empty", trust_env=False).is_success else "an error"
        except httpx.HTTPError as error:
            return f"{type(error).__name__} at {self.address}"


class DrivenApi(ApiServer):
    """Our API, with this driver."""

    def __init__(self, folder: Path, mongo_uri: str, database: str, driver: Driver) -> None:
        super().__init__(folder, mongo_uri, database)
        self._settings["MONGO_DRIVER"] = driver


async def ours(connection: Connection, calls: Iterable[str]) -> list[Question]:
    """Return what our API is asked for these calls, with a key of each organization."""
    keys: dict[str, dict[str, str]] = {}
    for organization in {call.split("/")[0] for call in calls}:
        key, secret = new_key(organization, PEPPER.encode())
        await MongoApiKeys(connection).add(key)
        keys[organization] = {"X-API-KEY": key.api_key, "X-API-SECRET": secret}
    asked = [call.split("/") for call in calls]
    return [Question(f"/api/calls/{name}", keys[organization]) for organization, name in asked]


def theirs(calls: Iterable[str]) -> list[Question]:
    """Return what the tutorial's program is asked for these calls."""
    return [Question(f"/api/calls/{call.split('/')[1]}", {}) for call in calls]


async def check(address: str, questions: Iterable[Question], records: Iterable[Json]) -> list[str]:
    """Return the entity tags of the answers, an empty text where there is none.

    Raises:
        AssertionError: an answer is not the record.
    """
    tags = []
    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=30) as client:
        for question, record in zip(questions, records, strict=True):
            answer = await client.get(question.path, headers=question.headers)
            assert answer.is_success, f"{question.path} at {address}: {answer.status_code}"
            assert answer.json()["data"] == record, f"{question.path} at {address} is not the reference fold"
            tags.append(answer.headers.get("ETag", ""))
    return tags
