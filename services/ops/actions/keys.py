"""`callfold keys`."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from services.ops.console import print_error, print_json, print_result, print_table
from services.ops.database import translate_errors
from services.ops.errors import CommandError
from services.ops.program import Opening, Program
from services.ops.settings import MONGO, KeySettings, OpsSettings, load
from shared.store.api_keys import new_key
from shared.store.models import ApiKey

_COLUMNS = ("api_key", "organization_id", "name", "created_at", "revoked_at")


def create(program: Program, organization: str, name: str | None, *, json: bool) -> None:
    settings = load(program, MONGO, kind=KeySettings)
    key, secret = new_key(organization, settings.api_secret_pepper.get_secret_value().encode(), name)
    asyncio.run(_add(program.opening, settings, key))
    created = {
        "organization_id": key.organization_id,
        "api_key": key.api_key,
        "api_secret": secret,
        "created_at": _time(key.created_at),
    }
    if json:
        print_json(created)
        return
    for field, value in created.items():
        print_result(f"{field:16}{value}")
    print_error("The secret is not shown again.")


def list_keys(program: Program, *, json: bool) -> None:
    keys = asyncio.run(_all(program.opening, load(program, MONGO, kind=OpsSettings)))
    rows = [(key.api_key, key.organization_id, key.name, _time(key.created_at), _time(key.revoked_at)) for key in keys]
    if json:
        print_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
    else:
        print_table(_COLUMNS, rows)


def revoke(program: Program, key: str, *, json: bool) -> None:
    if not asyncio.run(_revoke(program.opening, load(program, MONGO, kind=OpsSettings), key)):
        raise CommandError(f"there is no key {key}; `keys list` shows them")
    if json:
        print_json({"api_key": key, "revoked": True})
    else:
        print_result(f"{key} is revoked: the API rejects it within five seconds")


async def _add(opening: Opening, settings: OpsSettings, key: ApiKey) -> None:
    with translate_errors(settings):
        async with opening(settings) as database:
            await database.keys.add(key)


async def _all(opening: Opening, settings: OpsSettings) -> Sequence[ApiKey]:
    with translate_errors(settings):
        async with opening(settings) as database:
            return await database.keys.list()


async def _revoke(opening: Opening, settings: OpsSettings, key: str) -> bool:
    with translate_errors(settings):
        async with opening(settings) as database:
            return await database.keys.revoke(key)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
