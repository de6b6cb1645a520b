"""`callfold keys`."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from services.ops.commands.arguments import label, organization
from services.ops.console import print_error, print_json, print_result, print_table
from services.ops.database import Opening, translate_errors
from services.ops.errors import CommandError
from services.ops.settings import KeySettings, OpsSettings
from shared.store.api_keys import new_key
from shared.store.models import ApiKey

app = typer.Typer(
    name="keys",
    help="The API keys, each for one organization.",
    epilog="Example: callfold keys list",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]
Organization = Annotated[
    str, typer.Option(metavar="ORG", callback=organization, help="The organizationid whose calls the key may read")
]
Name = Annotated[str | None, typer.Option(metavar="NAME", callback=label, help="A name that says what the key is for")]
Key = Annotated[str, typer.Argument(metavar="KEY", callback=label, help="The api_key as `keys list` shows it")]


@app.command(epilog="Example: callfold keys create --organization org-789 --name dashboard")
def create(context: typer.Context, organization: Organization, name: Name = None, json: Json = False) -> None:
    """Create a key. Its secret is shown now and never again: only a hash of it is stored."""
    settings = KeySettings.load()
    key, secret = new_key(organization, settings.api_secret_pepper.get_secret_value().encode(), name)
    asyncio.run(_add(context.obj, settings, key))
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


@app.command("list", epilog="Example: callfold keys list")
def list_(context: typer.Context, json: Json = False) -> None:
    """List the keys, oldest first."""
    rows = [
        {
            "api_key": key.api_key,
            "organization_id": key.organization_id,
            "name": key.name,
            "created_at": _time(key.created_at),
            "revoked_at": _time(key.revoked_at),
        }
        for key in asyncio.run(_all(context.obj, OpsSettings.load()))
    ]
    if json:
        print_json(rows)
    else:
        print_table(
            ("api_key", "organization_id", "name", "created_at", "revoked_at"), [[*row.values()] for row in rows]
        )


@app.command(epilog="Example: callfold keys revoke cf_0123456789abcdef01234567")
def revoke(context: typer.Context, key: Key) -> None:
    """Revoke a key: the API rejects it within five seconds. Revoking it again changes nothing."""
    if not asyncio.run(_revoke(context.obj, OpsSettings.load(), key)):
        raise CommandError(f"there is no key {key}; `keys list` shows them")
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
