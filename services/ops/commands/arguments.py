"""Arguments that name something, checked by the rules of the event contract."""

from collections.abc import Callable

import typer
from pydantic import TypeAdapter, ValidationError

from shared.contract.decode_event import CallId, OrganizationId
from shared.contract.ids import call_key

_ORGANIZATION: TypeAdapter[str] = TypeAdapter(OrganizationId)
_CALL: TypeAdapter[str] = TypeAdapter(CallId)
_MAX_LABEL = 128


def organization(text: str) -> str:
    """Return the text if it is a valid organizationid; a typer callback."""
    return _checked(_ORGANIZATION, text, "1 to 128 characters, none of them `/` or a control character")


def call(text: str) -> str:
    """Return the text if it is a valid call id; a typer callback."""
    return _checked(_CALL, text, "1 to 256 characters, none of them a control character, and not be `.` or `..`")


def key(text: str) -> str:
    """Return the text if it names a call as `ORG/CALL_ID`; a typer callback."""
    owner, slash, call_id = text.partition("/")
    if not slash:
        raise typer.BadParameter("must be an organizationid and a call id with a `/` between them")
    return call_key(organization(owner), call(call_id))


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


def _checked(rule: TypeAdapter[str], text: str, needs: str) -> str:
    try:
        return rule.validate_python(text, strict=True)
    except ValidationError as error:
        raise typer.BadParameter(f"must have {needs}") from error
