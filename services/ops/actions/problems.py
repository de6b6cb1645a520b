"""`callfold problems`."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from services.ops.console import JsonList, print_result, print_table
from services.ops.database import translate_errors
from services.ops.problems import Limits, described, in_order, pages
from services.ops.program import Opening, Program
from services.ops.settings import MONGO, OpsSettings, load
from shared.store.models import ProblemCall

_COLUMNS = ("last_arrival", "organization_id", "call_id", "problem_count", "problem_kinds")


def list_problems(program: Program, limits: Limits, *, json: bool) -> None:
    settings = load(program, MONGO, kind=OpsSettings)
    asyncio.run((_print_json if json else _print_table)(program.opening, settings, limits))


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
    with JsonList() as listed, translate_errors(settings):
        async with opening(settings) as database:
            async for page in pages(database.store, limits):
                for call in page:
                    listed.add(described(call))


def _row(call: ProblemCall) -> list[object]:
    return [*list(described(call).values())[:-1], _counts(call.problems)]


def _counts(problems: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in in_order(problems).items())
