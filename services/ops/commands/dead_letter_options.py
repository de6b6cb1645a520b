"""The options that select dead letters."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from services.ops.errors import USAGE, CommandError
from shared.contract.problems import Reason
from shared.contract.timestamps import InvalidTime, milliseconds

if TYPE_CHECKING:
    from shared.dead_letters.selection import Selection


def _time(text: str) -> int:
    try:
        return milliseconds(text)
    except InvalidTime as error:
        raise click.BadParameter(f"{text!r} must be an RFC 3339 time like 2026-11-22T10:00:00Z") from error


_LIMITS = (
    click.option(
        "--reason",
        "reasons",
        metavar="REASON",
        type=click.Choice([reason.value for reason in Reason]),
        multiple=True,
        help="Refused for this reason; may be repeated, as the next three",
    ),
    click.option("--organization", "organizations", metavar="ORG", multiple=True, help="Of this organizationid"),
    click.option("--call", "calls", metavar="CALL_ID", multiple=True, help="Of this call"),
    click.option("--source", "sources", metavar="SOURCE", multiple=True, help="Of this CloudEvents source"),
    click.option("--from", "since", metavar="TIME", type=_time, help="From this time on, RFC 3339"),
    click.option("--until", "until", metavar="TIME", type=_time, help="Before this time, RFC 3339"),
)


def selecting(*, numbered: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds the options, and the argument N if `numbered`; the function gets a `chosen`."""

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_selection(*arguments: Any, **options: Any) -> None:
            names = ("reasons", "organizations", "calls", "sources", "since", "until", "numbers")
            chosen = selection(**{name: options.pop(name) for name in names if name in options})
            command(*arguments, chosen=chosen, **options)

        added: Callable[..., None] = with_selection
        for limit in reversed(_LIMITS):
            added = limit(added)
        return click.argument("numbers", metavar="[N]...", nargs=-1)(added) if numbered else added

    return decorated


def selection(
    *,
    reasons: tuple[str, ...],
    organizations: tuple[str, ...],
    calls: tuple[str, ...],
    sources: tuple[str, ...],
    since: int | None,
    until: int | None,
    numbers: tuple[str, ...] = (),
) -> "Selection":
    """Return the selection.

    Raises:
        CommandError: the options contradict each other.
    """
    from shared.dead_letters.selection import Selection

    if since is not None and until is not None and since >= until:
        raise CommandError("--from must be before --until", USAGE)
    names = (frozenset(reasons), frozenset(organizations), frozenset(calls), frozenset(sources))
    limits = Selection(*names, since, until)
    if numbers and limits != Selection():
        raise CommandError("numbers of dead letters cannot be combined with other limits", USAGE)
    return replace(limits, numbers=tuple(dict.fromkeys(numbers)))
