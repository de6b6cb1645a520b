"""Arguments that several commands take, and their checks, by the rules of the event contract."""

import re
from collections.abc import Callable
from typing import Any

import click

from shared.contract.timestamps import InvalidTime, milliseconds

_MAX_LABEL = 128
_AGO = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def organization(text: str) -> str:
    """Return the text if it is a valid organizationid."""
    from shared.contract.event import OrganizationId

    return _checked(OrganizationId, text, "1 to 128 characters, none of them `/` or a control character")


def call(text: str) -> str:
    """Return the text if it is a valid call id, which may hold `/`."""
    from shared.contract.event import CallId

    return _checked(CallId, text, "1 to 256 characters, none of them a control character, and not be `.` or `..`")


def key(text: str) -> str:
    """Return the key of the call that is named as `ORG/CALL_ID`."""
    from shared.contract.ids import call_key

    owner, slash, call_id = text.partition("/")  # the call id may hold more of them
    if not slash:
        raise click.BadParameter("must be an organizationid and a call id with a `/` between them")
    return call_key(organization(owner), call(call_id))


def label(text: str) -> str:
    """Return the text if it is printable."""
    if not (text.isprintable() and 0 < len(text) <= _MAX_LABEL):
        raise click.BadParameter(f"must have 1 to {_MAX_LABEL} printable characters")
    return text


def moment(text: str) -> int:
    """Return a time, RFC 3339 or how long ago it was (`24h`), as Unix milliseconds; for `type=`."""
    if ago := _AGO.fullmatch(text):
        from shared.process.clock import now_ms

        return max(now_ms() - int(ago[1]) * _SECONDS[ago[2]] * 1_000, 0)
    try:
        return milliseconds(text)
    except InvalidTime as error:
        raise click.BadParameter(
            f"{text!r} must be an RFC 3339 time like 2026-11-22T10:00:00Z, or how long ago in s, m, h or d, like 24h"
        ) from error


Callback = Callable[[click.Context, click.Parameter, str | None], str | None]


def given(check: Callable[[str], str]) -> Callback:
    """Return the check as a callback: of an argument that is given, and not while a shell completes the line."""

    def checked(context: click.Context, _: click.Parameter, text: str | None) -> str | None:
        return text if text is None or context.resilient_parsing else check(text)

    return checked


def _checked(rule: Any, text: str, needed: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    try:
        return str(TypeAdapter(rule).validate_python(text, strict=True))
    except ValidationError as error:
        raise click.BadParameter(f"must have {needed}") from error


as_json = click.option("--json", is_flag=True, help="Print JSON, for programs")
of_organization = click.option(
    "--organization", metavar="ORG", callback=given(organization), help="Only of this organizationid"
)
organization_argument = click.argument("organization", metavar="ORG", callback=given(organization))
call_argument = click.argument("call_id", metavar="CALL_ID", callback=given(call))
