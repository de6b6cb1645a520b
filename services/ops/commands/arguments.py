"""Arguments that name something, checked by the rules of the event contract."""

import re
from collections.abc import Callable

import typer
from pydantic import TypeAdapter, ValidationError

from shared.contract.decode_event import CallId, OrganizationId
from shared.contract.ids import call_key
from shared.contract.timestamps import InvalidTime, milliseconds
from shared.process.clock import now_ms
from shared.store.ids import names_of

_ORGANIZATION: TypeAdapter[str] = TypeAdapter(OrganizationId)
_CALL: TypeAdapter[str] = TypeAdapter(CallId)
_MAX_LABEL = 128
_AGO = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def organization(text: str) -> str:
    """Return the text if it is a valid organizationid; a typer callback."""
    return _checked(_ORGANIZATION, text, "1 to 128 characters, none of them `/` or a control character")


def call(text: str) -> str:
    """Return the text if it is a valid call id, which may hold `/`; a typer callback."""
    return _checked(_CALL, text, "1 to 256 characters, none of them a control character, and not be `.` or `..`")


def key(text: str) -> str:
    """Return the key of the call that is named as `ORG/CALL_ID`; a typer callback."""
    owner, slash, call_id = text.partition("/")  # the call id may hold more of them
    if not slash:
        raise typer.BadParameter("must be an organizationid and a call id with a `/` between them")
    return call_key(organization(owner), call(call_id))


def named(call: str) -> str:
    """Return a call's key as `key` takes it: `ORG/CALL_ID`, both as they are."""
    return "/".join(names_of(call))


def moment(text: str) -> int:
    """Return a time, RFC 3339 or how long ago it was (`24h`), as Unix milliseconds; a typer parser."""
    if ago := _AGO.fullmatch(text):
        return max(now_ms() - int(ago[1]) * _SECONDS[ago[2]] * 1_000, 0)
    try:
        return milliseconds(text)
    except InvalidTime as error:
        raise typer.BadParameter(
            f"{text!r} must be an RFC 3339 time like 2026-11-22T10:00:00Z, or how long ago in s, m, h or d, like 24h"
        ) from error


def if_given(check: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """Return the check for an argument that is optional."""

    def checked(text: str | None) -> str | None:
        return None if text is None else check(text)

    return checked


def label(text: str | None) -> str | None:
    """Return the text if it is printable; a typer callback."""
    if text is not None and not (text.isprintable() and 0 < len(text) <= _MAX_LABEL):
        raise typer.BadParameter(f"must have 1 to {_MAX_LABEL} printable characters")
    return text


def _checked(rule: TypeAdapter[str], text: str, needed: str) -> str:
    try:
        return rule.validate_python(text, strict=True)
    except ValidationError as error:
        raise typer.BadParameter(f"must have {needed}") from error
