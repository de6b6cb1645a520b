"""What is typed to say which dead letters are meant."""

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
        raise typer.BadParameter(f"{text!r}: an RFC 3339 time like 2026-11-22T10:00:00Z is needed") from error


Reasons = Annotated[
    list[Reason] | None,
    typer.Option("--reason", metavar="REASON", help="Refused for this; as --call and --source, it may be repeated"),
]
Calls = Annotated[list[str] | None, typer.Option("--call", metavar="CALL_ID", help="Of this call")]
Sources = Annotated[list[str] | None, typer.Option("--source", metavar="SOURCE", help="Of this CloudEvents source")]
Since = Annotated[int | None, typer.Option("--from", metavar="TIME", parser=_time, help="From then on, RFC 3339")]
Until = Annotated[int | None, typer.Option("--until", metavar="TIME", parser=_time, help="Before then, RFC 3339")]
Numbers = Annotated[list[str] | None, typer.Argument(metavar="N", help="Only these, by their numbers in the list")]


def selection(
    reasons: list[Reason] | None,
    calls: list[str] | None,
    sources: list[str] | None,
    *,
    since: int | None,
    until: int | None,
    numbers: list[str] | None = None,
) -> Selection:
    """Return what was typed.

    Raises:
        CommandError: no dead letter could be meant.
    """
    if since is not None and until is not None and since >= until:
        raise CommandError("--from must be before --until", USAGE)
    limits = (frozenset(reasons or ()), frozenset(calls or ()), frozenset(sources or ()), since, until)
    if numbers and Selection(*limits) != Selection():
        raise CommandError("whoever names dead letters by their numbers cannot limit them by anything else", USAGE)
    return Selection(*limits, tuple(dict.fromkeys(numbers or ())))
