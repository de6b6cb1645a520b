"""`callfold rebuild`."""

import asyncio
from typing import Annotated

import typer

from services.ops.commands import arguments
from services.ops.console import Advance, print_result, progress
from services.ops.database import Opening, translate_errors
from services.ops.errors import FAILED, INTERRUPTED, USAGE, CommandError
from services.ops.rebuild import NoSuchCall, Rebuilding, Tally, Wanted
from services.ops.settings import OpsSettings
from shared.config import price_book
from shared.config.toml_file import InvalidConfigFile
from shared.contract.ids import call_key
from shared.fold.prices import PriceBook
from shared.kafka import admin
from shared.kafka.errors import KafkaUnavailable

app = typer.Typer()

Organization = Annotated[
    str | None,
    typer.Option(
        metavar="ORG", callback=arguments.if_given(arguments.organization), help="Only calls of this organizationid"
    ),
]
Call = Annotated[
    str | None,
    typer.Option(
        metavar="CALL_ID", callback=arguments.if_given(arguments.call), help="Only this call of the organization"
    ),
]
After = Annotated[
    str | None,
    typer.Option(
        metavar="ORG/CALL_ID",
        callback=arguments.if_given(arguments.key),
        help="Continue a run that was interrupted after this call",
    ),
]
Outdated = Annotated[bool, typer.Option("--outdated", help="Only records made by other rules or another price book")]
Broken = Annotated[bool, typer.Option("--broken", help="Only calls that could not be folded")]


@app.command(epilog="Example: callfold rebuild --organization org-789 --outdated")
def rebuild(
    context: typer.Context,
    *,
    organization: Organization = None,
    call: Call = None,
    after: After = None,
    outdated: Outdated = False,
    broken: Broken = False,
) -> None:
    """Fold records again from the log while the workers run: after a change of rules or prices, or a loss of `calls`.

    The prices are those of CALLFOLD_PRICE_BOOK in this environment. A run that is interrupted prints how to continue.
    """
    if call is not None and organization is None:
        raise CommandError("--call needs --organization", USAGE)
    if call is not None and after is not None:
        raise CommandError("--after cannot be combined with --call", USAGE)
    settings = OpsSettings.load()
    wanted = Wanted(organization, after, outdated, broken)
    only = call_key(organization, call) if organization is not None and call is not None else None
    with progress("rebuilding", None) as advance:
        tally = asyncio.run(_run(context.obj, settings, wanted, only, advance))
    print_result(_summary(tally))
    if tally.broken:
        raise typer.Exit(FAILED)


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
                await (rebuilding.all(wanted, report) if only is None else rebuilding.one(only, wanted))
        except NoSuchCall as error:
            raise CommandError(f"the log has no events of a call {arguments.named(only or '')}") from error
        except (CommandError, KafkaUnavailable) as error:
            raise CommandError(f"{error}{_continue(rebuilding.tally, wanted)}") from error
        except asyncio.CancelledError:
            raise CommandError(f"interrupted{_continue(rebuilding.tally, wanted)}", INTERRUPTED) from None
        return rebuilding.tally


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
    going_on = f"; continue with --after {arguments.named(after)}" if after else ""
    return f"; {_summary(tally)}{going_on}"
