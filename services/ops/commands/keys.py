"""`callfold keys`."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from services.ops.commands.arguments import label, organization
from services.ops.console import answer, answer_json, answer_table, say
from services.ops.database import Opening, asking
from services.ops.errors import Failure
from services.ops.settings import KeySettings, OpsSettings
from shared.store.api_keys import new_key
from shared.store.models import ApiKey

app = typer.Typer(
    name="keys",
    help="The API keys, each of one organization.",
    epilog="Example: callfold keys list",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]
Organization = Annotated[
    str, typer.Option(metavar="ORG", callback=organization, help="Whose calls the key opens: an organizationid")
]
Name = Annotated[str | None, typer.Option(metavar="NAME", callback=label, help="What the key is for")]
Key = Annotated[str, typer.Argument(metavar="KEY", callback=label, help="The api_key, as `keys list` shows it")]


@app.command(epilog="Example: callfold keys create --organization org-789 --name dashboard")
def create(context: typer.Context, organization: Organization, name: Name = None, json: Json = False) -> None:
    """Make a key. Its secret is shown now and never again: what is kept is a hash."""
    settings = KeySettings.load()
    key, secret = new_key(organization, settings.api_secret_pepper.get_secret_value().encode(), name)
    asyncio.run(_add(context.obj, settings, key))
    made = {
        "organization_id": key.organization_id,
        "api_key": key.api_key,
        "api_secret": secret,
        "created_at": _time(key.created_at),
    }
    if json:
        answer_json(made)
        return
    for field, value in made.items():
        answer(f"{field:16}{value}")
    say("The secret is not shown again.")


@app.command("list", epilog="Example: callfold keys list")
def list_(context: typer.Context, json: Json = False) -> None:
    """List the keys, the oldest first."""
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
        answer_json(rows)
    else:
        answer_table(
            ("api_key", "organization_id", "name", "created_at", "revoked_at"), [[*row.values()] for row in rows]
        )


@app.command(epilog="Example: callfold keys revoke cf_0123456789abcdef01234567")
def revoke(context: typer.Context, key: Key) -> None:
    """Revoke a key: within five seconds it opens nothing any more. Revoked twice is revoked once."""
    if not asyncio.run(_revoke(context.obj, OpsSettings.load(), key)):
        raise Failure(f"there is no key {key}")
    answer(f"{key} is revoked: it opens nothing after five seconds")


async def _add(opening: Opening, settings: OpsSettings, key: ApiKey) -> None:
    with asking(settings):
        async with opening(settings) as database:
            await database.keys.add(key)


async def _all(opening: Opening, settings: OpsSettings) -> Sequence[ApiKey]:
    with asking(settings):
        async with opening(settings) as database:
            return await database.keys.list()


async def _revoke(opening: Opening, settings: OpsSettings, key: str) -> bool:
    with asking(settings):
        async with opening(settings) as database:
            return await database.keys.revoke(key)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
