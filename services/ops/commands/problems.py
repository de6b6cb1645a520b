"""`callfold problems`."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import typer

from services.ops.commands import arguments
from services.ops.console import as_json, print_result, print_table, write_text
from services.ops.database import Opening, translate_errors
from services.ops.problems import STORED_KINDS, Limits, described, in_order, pages
from services.ops.settings import OpsSettings
from shared.store.models import ProblemCall

app = typer.Typer()


def _kind(text: str) -> str:
    if text not in STORED_KINDS:
        raise typer.BadParameter(f"{text!r} must be one of {', '.join(STORED_KINDS)}")
    return text


Organization = Annotated[
    str | None,
    typer.Option(
        metavar="ORG", callback=arguments.if_given(arguments.organization), help="Only calls of this organizationid"
    ),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        parser=_kind,
        help="Only calls with this kind of problem, such as conflict; may be repeated",
    ),
]
Since = Annotated[
    int | None,
    typer.Option(
        metavar="TIME",
        parser=arguments.moment,
        help="Only calls whose latest event arrived since then: RFC 3339, or how long ago, such as 90m, 24h or 7d",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]

_COLUMNS = ("last_arrival", "organization_id", "call_id", "problem_count", "problem_kinds")


@app.command(epilog="Example: callfold problems --organization org-789 --kind conflict --since 24h")
def problems(
    context: typer.Context,
    *,
    organization: Organization = None,
    kind: Kinds = None,
    since: Since = None,
    json: Json = False,
) -> None:
    """List the calls that contradict themselves, the latest arrival first, as their last fold found them.

    `callfold get --details` shows the problems of one call. A running call is listed once its record is stored.
    """
    limits = Limits(organization, frozenset(kind or ()), since or 0)
    asyncio.run((_print_json if json else _print_table)(context.obj, OpsSettings.load(), limits))


async def _print_table(opening: Opening, settings: OpsSettings, limits: Limits) -> None:
    """Print page by page: there may be more than fit into memory."""
    calls, kinds = 0, Counter[str]()
    with translate_errors(settings):
        async with opening(settings) as database:
            async for page in pages(database.store, limits):
                if page:
                    print_table(_COLUMNS, [_row(call) for call in page], ("problem_count",), headed=not calls)
                calls += len(page)
                for call in page:
                    kinds.update(call.problems)
    if not calls:
        print_table(_COLUMNS, [])
    print_result(f"{calls} calls, {kinds.total()} problems{': ' if kinds else ''}{_counts(kinds)}")


async def _print_json(opening: Opening, settings: OpsSettings, limits: Limits) -> None:
    """Print one by one: there may be more than fit into memory."""
    before = "["
    with translate_errors(settings):
        async with opening(settings) as database:
            async for page in pages(database.store, limits):
                for call in page:
                    write_text(f"{before}\n{as_json(described(call))}")
                    before = ","
    write_text("[]\n" if before == "[" else "\n]\n")


def _row(call: ProblemCall) -> list[object]:
    return [*list(described(call).values())[:-1], _counts(call.problems)]


def _counts(problems: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in in_order(problems).items())
