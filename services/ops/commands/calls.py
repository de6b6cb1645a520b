"""`callfold get`."""

import asyncio
from typing import Annotated

import orjson
import typer

from services.ops.commands.arguments import call, named, organization
from services.ops.console import print_error, print_json
from services.ops.database import Opening, translate_errors
from services.ops.errors import USAGE, CommandError
from services.ops.settings import OpsSettings
from shared.calls.read_call import CallBroken, Finality, Reading
from shared.calls.views import READ, View
from shared.config import price_book
from shared.config.toml_file import InvalidConfigFile
from shared.contract.ids import call_key

app = typer.Typer()

Organization = Annotated[
    str, typer.Argument(metavar="ORG", callback=organization, help="The organizationid of the call")
]
Call = Annotated[
    str, typer.Argument(metavar="CALL_ID", callback=call, help="The id of the call: the subject of its events")
]

_FINALITY = {
    Finality.LIVE: "live: the call is running",
    Finality.SETTLING: "settling: the call has ended, and events may still arrive",
    Finality.FINAL: "final: the call has ended; a late event would still change the record",
}


Details = Annotated[
    bool, typer.Option("--details", help="Print the call's legs, turns, tool calls, costs, ends and problems instead")
]


@app.command(epilog="Example: callfold get --details org-789 call-456")
def get(context: typer.Context, organization: Organization, call: Call, details: Details = False) -> None:
    """Print the record of a call, or its details, as the API serves them, and its finality to standard error."""
    view = View.DETAILS if details else View.RECORD
    reading = asyncio.run(_read(view, context.obj, OpsSettings.load(), call_key(organization, call)))
    if reading is None:
        raise CommandError(f"the organization {organization} has no call {call}")
    print_json(orjson.loads(reading.body))
    print_error(_FINALITY[reading.finality])


async def _read(view: View, opening: Opening, settings: OpsSettings, key: str) -> Reading | None:
    try:
        book = price_book.load(settings.price_book)
        with translate_errors(settings):
            async with opening(settings) as database:
                return await READ[view](database.store, key, book)
    except InvalidConfigFile as error:
        raise CommandError(str(error), USAGE) from error
    except CallBroken as error:
        raise CommandError(
            f"the call {named(key)} cannot be folded; its events are kept: callfold rebuild --broken tries again"
        ) from error
