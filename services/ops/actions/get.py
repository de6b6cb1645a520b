"""`callfold get`."""

import asyncio
import shlex

import orjson

from services.ops.console import print_error, print_json
from services.ops.database import translate_errors
from services.ops.errors import USAGE, CommandError
from services.ops.program import Opening, Program
from services.ops.settings import MONGO, OpsSettings, load
from shared.calls.read_call import CallBroken, Finality, Reading
from shared.calls.views import READ, View
from shared.config import price_book
from shared.config.toml_file import InvalidConfigFile
from shared.contract.ids import call_key
from shared.store.ids import named

_FINALITY = {
    Finality.LIVE: "live: the call is running",
    Finality.SETTLING: "settling: the call has ended, and events may still arrive",
    Finality.FINAL: "final: the call has ended; a late event would still change the record",
}


def get(program: Program, organization: str, call: str, *, details: bool) -> None:
    view = View.DETAILS if details else View.RECORD
    settings = load(program, MONGO, kind=OpsSettings)
    key = call_key(organization, call)
    try:
        reading = asyncio.run(_read(view, program.opening, settings, key))
        if reading is None:
            raise CommandError(f"the organization {organization} has no call {call}")
        data = orjson.loads(reading.body)
    except (CallBroken, orjson.JSONDecodeError) as error:
        again = f"callfold rebuild --organization {shlex.quote(organization)} --call {shlex.quote(call)}"
        raise CommandError(
            f"the call {named(key)} cannot be folded; its events are kept: {again} tries again"
        ) from error
    print_json(data)
    print_error(_FINALITY[reading.finality])


async def _read(view: View, opening: Opening, settings: OpsSettings, key: str) -> Reading | None:
    try:
        book = price_book.load(settings.price_book)
        with translate_errors(settings):
            async with opening(settings) as database:
                return await READ[view](database.store, key, book)
    except InvalidConfigFile as error:
        raise CommandError(str(error), USAGE) from error
