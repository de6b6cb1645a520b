"""`callfold get`."""

import asyncio
from typing import Annotated

import orjson
import typer

from services.ops.commands.arguments import call, organization
from services.ops.console import answer_json, say
from services.ops.database import Opening, asking
from services.ops.errors import USAGE, Failure
from services.ops.settings import OpsSettings
from shared.calls.read_call import CallBroken, Finality, Reading, read_call
from shared.config import price_book
from shared.config.toml_file import InvalidConfigFile
from shared.contract.ids import call_key

app = typer.Typer()

Organization = Annotated[str, typer.Argument(metavar="ORG", callback=organization, help="The call's organizationid")]
Call = Annotated[str, typer.Argument(metavar="CALL_ID", callback=call, help="The call's id: its events' subject")]

_NOTES = {
    Finality.LIVE: "live: the call goes on",
    Finality.SETTLING: "settling: the call has ended, events may still be on their way",
    Finality.FINAL: "final: a late event would still change it",
}


@app.command(epilog="Example: callfold get org-789 call-456")
def get(context: typer.Context, organization: Organization, call: Call) -> None:
    """Print the record of a call, as the API serves it; how far it is settled goes to standard error."""
    reading = asyncio.run(_read(context.obj, OpsSettings.load(), call_key(organization, call)))
    if reading is None:
        raise Failure(f"there is no call {call} of the organization {organization}")
    answer_json(orjson.loads(reading.body))
    say(_NOTES[reading.finality])


async def _read(opening: Opening, settings: OpsSettings, key: str) -> Reading | None:
    try:
        book = price_book.load(settings.price_book)
        with asking(settings):
            async with opening(settings) as database:
                return await read_call(database.store, key, book)
    except InvalidConfigFile as error:
        raise Failure(str(error), USAGE) from error
    except CallBroken as error:
        raise Failure(f"the call {key} cannot be folded; its events are kept") from error
