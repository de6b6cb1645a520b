"""`callfold rebuild`."""

import asyncio

import click

from services.ops.console import Advance, print_error, print_json, print_result, progress
from services.ops.database import translate_errors
from services.ops.errors import FAILED, INTERRUPTED, USAGE, CommandError
from services.ops.program import Opening, Program
from services.ops.rebuild import NoSuchCall, Rebuilding, Tally, Wanted
from services.ops.settings import KAFKA, MONGO, OpsSettings, load
from shared.config import price_book
from shared.config.fleet import CONSEQUENCES, of_reader
from shared.config.toml_file import InvalidConfigFile
from shared.contract.ids import call_key
from shared.fold.prices import PriceBook
from shared.kafka import admin
from shared.kafka.errors import KafkaUnavailable
from shared.store.fleet_watch import FleetWatch
from shared.store.ids import named
from shared.store.ports import Store


def rebuild(program: Program, wanted: Wanted, call: str | None, *, json: bool) -> None:
    """Rebuild the wanted calls, or only the call of this id, of the organization that is wanted."""
    settings = load(program, MONGO, KAFKA, kind=OpsSettings)
    only = None if call is None or wanted.organization is None else call_key(wanted.organization, call)
    with progress("rebuilding", None) as advance:
        tally = asyncio.run(_run(program.opening, settings, wanted, only, advance))
    if json:
        print_json({"seen": tally.seen, "rebuilt": tally.rebuilt, "broken": tally.broken, "left": tally.left})
    else:
        print_result(_summary(tally))
    if tally.broken:
        raise click.exceptions.Exit(FAILED)


async def _run(opening: Opening, settings: OpsSettings, wanted: Wanted, only: str | None, advance: Advance) -> Tally:
    async def partitions() -> int:
        return len(await admin.partitions(settings.kafka, settings.topics.telephony))

    def report(tally: Tally) -> None:
        advance(tally.seen, _summary(tally))

    book = _book(settings)
    async with opening(settings) as database:
        rebuilding = Rebuilding(database.store, book, partitions)
        try:
            with translate_errors(settings):
                await _warn_of_differences(database.store, book)
                await (rebuilding.all(wanted, report) if only is None else rebuilding.one(only, wanted))
        except NoSuchCall as error:
            raise CommandError(f"the log has no events of a call {named(only or '')}") from error
        except (CommandError, KafkaUnavailable) as error:
            raise CommandError(f"{error}{_continue(rebuilding.tally, wanted)}") from error
        except asyncio.CancelledError:
            raise CommandError(f"interrupted{_continue(rebuilding.tally, wanted)}", INTERRUPTED) from None
        return rebuilding.tally


async def _warn_of_differences(store: Store, book: PriceBook) -> None:
    own = of_reader(book)
    for name, fleet in (await FleetWatch(store, own).differences()).items():
        print_error(f"warning: {name} here is {own[name]}, of the workers {fleet}: {CONSEQUENCES[name]}")


def _book(settings: OpsSettings) -> PriceBook:
    try:
        return price_book.load(settings.price_book)
    except InvalidConfigFile as error:
        raise CommandError(str(error), USAGE) from error


def _summary(tally: Tally) -> str:
    left = f", {tally.left} left to the workers" if tally.left else ""
    return f"{tally.seen} calls, {tally.rebuilt} rebuilt, {tally.broken} broken{left}"


def _continue(tally: Tally, wanted: Wanted) -> str:
    """Return what was done and how to continue: with the present page again, of which a part may be done."""
    after = tally.last or wanted.after
    going_on = f"; continue with --after {named(after)}" if after else ""
    return f"; {_summary(tally)}{going_on}"
