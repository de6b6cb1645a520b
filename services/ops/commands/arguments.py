"""The names that are typed, checked by the contract's own rules."""

from collections.abc import Callable

import typer
from pydantic import TypeAdapter, ValidationError

from shared.contract.envelope import CallId, OrganizationId
from shared.contract.ids import call_key

_ORGANIZATION: TypeAdapter[str] = TypeAdapter(OrganizationId)
_CALL: TypeAdapter[str] = TypeAdapter(CallId)
_LONGEST_LABEL = 128


def organization(text: str) -> str:
    """Return the text if it can be an organizationid; a typer callback."""
    return _checked(_ORGANIZATION, text, "128")


def call(text: str) -> str:
    """Return the text if it can be a call's id; a typer callback."""
    return _checked(_CALL, text, "256")


def key(text: str) -> str:
    """Return the text if it names a call as `ORG/CALL_ID`; a typer callback."""
    parts = text.split("/")
    if len(parts) != len(("organization", "call")):
        raise typer.BadParameter("an organizationid and a call's id are needed, with a `/` between them")
    return call_key(organization(parts[0]), call(parts[1]))


def if_given(check: Callable[[str], str]) -> Callable[[str | None], str | None]:
    """Return the check for what may be left out."""

    def checked(text: str | None) -> str | None:
        return None if text is None else check(text)

    return checked


def label(text: str | None) -> str | None:
    """Return the text if it can be shown as it is; a typer callback."""
    if text is not None and not (text.isprintable() and 0 < len(text) <= _LONGEST_LABEL):
        raise typer.BadParameter(f"1 to {_LONGEST_LABEL} characters that print are needed")
    return text


def _checked(rule: TypeAdapter[str], text: str, longest: str) -> str:
    try:
        return rule.validate_python(text, strict=True)
    except ValidationError as error:
        raise typer.BadParameter(f"1 to {longest} characters without `/` and control characters are needed") from error
