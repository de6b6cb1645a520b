"""`python -m services.api` as a server, and a client of it with a key of each organization."""

import os
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import httpx

from deploy.local.local_client import local_client
from deploy.local.ports import HOST, free_port
from deploy.local.servers.process import Server
from shared.calls.read_call import Finality
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.client import Connection
from tests.support.api.client import PEPPER
from tests.support.eventually import eventually, scaled


class ApiServer(Server):
    """The API as it runs in production."""

    name: ClassVar[str] = "api"

    def __init__(self, folder: Path, mongo_uri: str, database: str) -> None:
        super().__init__(folder, free_port())
        self._settings = {"MONGO_URI": mongo_uri, "MONGO_DATABASE": database}

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        return [sys.executable, "-m", "services.api"]

    def environment(self) -> dict[str, str]:
        settings = {
            **self._settings,
            "API_SECRET_PEPPER": PEPPER,
            "API_PORT": str(self.port),
            "SECRETS_DIR": "/nowhere",
        }
        return {**os.environ, **{f"CALLFOLD_{name}": value for name, value in settings.items()}}

    def lacks(self) -> str | None:
        try:
            answer = local_client().get(f"http://{self.address}/readyz", timeout=scaled(10))
        except httpx.HTTPError as error:
            return f"{type(error).__name__} at {self.address}"
        return None if answer.status_code == httpx.codes.OK else f"/readyz returns {answer.status_code}"


class ApiReader:
    """A client of the API over HTTP, with a key of each organization."""

    def __init__(self, port: int, headers: dict[str, dict[str, str]]) -> None:
        self._headers = headers
        self._client = httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=scaled(10))

    @classmethod
    async def with_keys(cls, port: int, connection: Connection, organizations: Iterable[str]) -> "ApiReader":
        """Create the keys and return the reader."""
        headers = {}
        for organization in organizations:
            key, secret = new_key(organization, PEPPER.encode())
            await MongoApiKeys(connection).add(key)
            headers[organization] = {"X-API-KEY": key.api_key, "X-API-SECRET": secret}
        return cls(port, headers)

    async def read(self, call: str) -> tuple[dict[str, Any], Finality] | None:
        """Return the record of a call (`<organization_id>/<call_id>`) and finality; None while it cannot be read."""
        organization, name = call.split("/")
        try:
            answer = await self._client.get(f"/api/calls/{name}", headers=self._headers[organization])
        except httpx.HTTPError:
            return None
        if answer.status_code != httpx.codes.OK:
            return None
        return answer.json()["data"], Finality(answer.headers["X-Call-Finality"])

    async def answers(self, call: str) -> bytes:
        """Return all that readers get of a call, as it is sent: the record and the details."""
        organization, name = call.split("/")

        async def answer(path: str) -> bytes | None:
            try:
                found = await self._client.get(path, headers=self._headers[organization])
            except httpx.HTTPError:
                return None
            return found.content if found.status_code != httpx.codes.SERVICE_UNAVAILABLE else None

        paths = (f"/api/calls/{name}", f"/api/calls/{name}/details")
        return b"".join([await eventually(partial(answer, path)) for path in paths])

    async def close(self) -> None:
        await self._client.aclose()
