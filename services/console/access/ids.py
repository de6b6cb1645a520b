"""PURE: ids as an account may see them: a viewer sees no phone number, and an id may hold one."""

import re

from services.console.access.accounts import Role

HIDDEN = "hidden"

_NUMBER = re.compile(r"\d{7,}")
_ID = re.compile(r"[A-Za-z0-9._:/@-]{1,100}", re.ASCII)


def id_for(role: Role, value: str) -> str:
    """Return the id of a call or an organization; each run of seven or more digits is `…` to a viewer."""
    return value if role.includes(Role.SUPPORT) else _NUMBER.sub("…", value)


def unchecked_id_for(role: Role, value: str | None) -> str | None:
    """Return what an invalid event has in place of an id; to a viewer it is `HIDDEN` unless it looks like an id."""
    if value is None or role.includes(Role.SUPPORT):
        return value
    return value if _ID.fullmatch(value) and not _NUMBER.search(value) else HIDDEN
