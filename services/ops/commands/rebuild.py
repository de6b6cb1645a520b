"""`callfold rebuild`."""

import asyncio
from typing import Annotated

import typer

from services.ops import kafka
from services.ops.commands import arguments
from services.ops.console import Advance, answer, progress
from services.ops.database import Opening, asking
from services.ops.errors import INTERRUPTED, MISTAKE, USAGE, Failure
from services.ops.rebuild import NoSuchCall, Rebuilding, Tally, Wanted
from services.ops.settings import OpsSettings
from shared.config import price_book
from shared.config.toml_file import InvalidConfigFile
from shared.contract.ids import call_key
from shared.fold.prices import PriceBook

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
        metavar="ORG/CALL_ID", callback=arguments.if_given(arguments.key), help="Go on where a run was broken off"
    ),
]
Outdated = Annotated[bool, typer.Option("--outdated", help="Only records of other rules or another price book")]
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
    """Fold records anew from the log, while the workers run: with mended rules, new prices, or after a loss of `calls`.

    Prices are those of CALLFOLD_PRICE_BOOK here. A run that was broken off says how to go on.
    """
    if call is not None and organization is None:
        raise Failure("--call needs --organization", USAGE)
    if call is not None and after is not None:
        raise Failure("--after has no use with --call", USAGE)
    settings = OpsSettings.load()
    wanted = Wanted(organization, after, outdated, broken)
    only = call_key(organization, call) if organization is not None and call is not None else None
    with progress("rebuilding", None) as advance:
        tally = asyncio.run(_run(context.obj, settings, wanted, only, advance))
    answer(_conclusion(tally))
    if tally.broken:
        raise typer.Exit(MISTAKE)


async def _run(opening: Opening, settings: OpsSettings, wanted: Wanted, only: str | None, advance: Advance) -> Tally:
    async def partitions() -> int:
        return len(await kafka.partitions(settings.kafka, settings.topics.telephony))

    def report(tally: Tally) -> None:
        advance(tally.seen, _conclusion(tally))

    book = _book(settings)
    async with opening(settings) as database:
        rebuilding = Rebuilding(database.store, book, partitions)
        try:
            with asking(settings):
                await (rebuilding.all(wanted, report) if only is None else rebuilding.one(only, wanted))
        except NoSuchCall as error:
            raise Failure(f"the log holds nothing of a call {only}") from error
        except Failure as failure:
            raise Failure(f"{failure}{_go_on(rebuilding.tally, wanted)}", failure.code) from failure
        except asyncio.CancelledError:
            raise Failure(f"interrupted{_go_on(rebuilding.tally, wanted)}", INTERRUPTED) from None
        return rebuilding.tally


def _book(settings: OpsSettings) -> PriceBook:
    try:
        return price_book.load(settings.price_book)
    except InvalidConfigFile as error:
        raise Failure(str(error), USAGE) from error


def _conclusion(tally: Tally) -> str:
    left = f", {tally.left} left to the workers" if tally.left else ""
    return f"{tally.seen} calls, {tally.rebuilt} rebuilt, {tally.broken} broken{left}"


def _go_on(tally: Tally, wanted: Wanted) -> str:
    """Return what was done and how to go on: with the page under way, of which a part may be done, once more."""
    after = tally.last or wanted.after
    return f"; {_conclusion(tally)}; go on with --after {after}" if after else f"; {_conclusion(tally)}"
