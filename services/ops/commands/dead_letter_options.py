"""The options that select dead letters."""

from typing import Annotated

import typer

from services.ops.dead_letters.selection import Selection
from services.ops.errors import USAGE, CommandError
from shared.contract.rejection import Reason
from shared.contract.timestamps import InvalidTime, milliseconds


def _time(text: str) -> int:
    try:
        return milliseconds(text)
    except InvalidTime as error:
        raise typer.BadParameter(f"{text!r} must be an RFC 3339 time like 2026-11-22T10:00:00Z") from error


Reasons = Annotated[
    list[Reason] | None,
    typer.Option("--reason", metavar="REASON", help="Refused for this reason; may be repeated, as --call and --source"),
]
Calls = Annotated[list[str] | None, typer.Option("--call", metavar="CALL_ID", help="Of this call")]
Sources = Annotated[list[str] | None, typer.Option("--source", metavar="SOURCE", help="Of this CloudEvents source")]
Since = Annotated[int | None, typer.Option("--from", metavar="TIME", parser=_time, help="From this time on, RFC 3339")]
Until = Annotated[int | None, typer.Option("--until", metavar="TIME", parser=_time, help="Before this time, RFC 3339")]
Numbers = Annotated[
    list[str] | None, typer.Argument(metavar="N", help="Only these, by the numbers in `dead-letters list`")
]


def selection(
    reasons: list[Reason] | None,
    calls: list[str] | None,
    sources: list[str] | None,
    *,
    since: int | None,
    until: int | None,
    numbers: list[str] | None = None,
) -> Selection:
    """Return the selection.

    Raises:
        CommandError: the options contradict each other.
    """
    if since is not None and until is not None and since >= until:
        raise CommandError("--from must be before --until", USAGE)
    limits = (frozenset(reasons or ()), frozenset(calls or ()), frozenset(sources or ()), since, until)
    if numbers and Selection(*limits) != Selection():
        raise CommandError("numbers of dead letters cannot be combined with other limits", USAGE)
    return Selection(*limits, tuple(dict.fromkeys(numbers or ())))
