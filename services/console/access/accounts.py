"""Who may look: operators' accounts in a TOML file, with Argon2 hashes in place of passwords."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel

from shared.config.toml_file import load_toml

MAX_PASSWORD = 1_024
"""A longer password is refused before it is hashed."""

_HASHER = PasswordHasher()


class Role(StrEnum):
    """What an account may see and do; each role may do what the ones before it may."""

    VIEWER = "viewer"
    """Lag, dead letters by reason, lists of calls; no transcript, no numbers."""

    SUPPORT = "support"
    """Calls, with what was said."""

    OPERATOR = "operator"
    """Replays and rebuilds."""

    def includes(self, other: "Role") -> bool:
        roles = list(Role)
        return roles.index(self) >= roles.index(other)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who has logged in."""

    name: str
    role: Role


class Accounts:
    """The accounts that a file lists."""

    def __init__(self, entries: Mapping[str, "_Entry"]) -> None:
        self._entries = dict(entries)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def named(self, name: str) -> Account | None:
        """Return the account of this name, None if the file does not list it."""
        entry = self._entries.get(name)
        return None if entry is None else Account(name, entry.role)

    def find(self, name: str, password: str) -> Account | None:
        """Return the account, None if name or password is wrong; takes some 50 ms of CPU, so call it in a thread."""
        entry = self._entries.get(name)
        hashed = _of_nobody() if entry is None else entry.password
        try:
            _HASHER.verify(hashed, password[:MAX_PASSWORD])
        except VerificationError:
            return None
        return None if entry is None or len(password) > MAX_PASSWORD else Account(name, entry.role)


def load(path: Path | None) -> Accounts:
    """Return the accounts of the file, none without one.

    Raises:
        InvalidConfigFile: the file cannot be read, or is not as expected.
    """
    return Accounts({}) if path is None else load_toml(path, "CALLFOLD_CONSOLE_ACCOUNTS", parsed)


def parsed(content: dict[str, Any]) -> Accounts:
    """Return the accounts of a file's content; raises `ValidationError`."""
    return Accounts(_File.model_validate(content).root)


def _checked_hash(value: str) -> str:
    try:
        _HASHER.check_needs_rehash(value)
    except InvalidHashError:
        raise ValueError("must be an Argon2 hash: `callfold accounts hash` makes one") from None
    return value


@cache
def _of_nobody() -> str:
    """Return what the password for an unknown name is compared with, so that its answer takes as long as others."""
    return _HASHER.hash("nobody")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    role: Role
    password: Annotated[str, AfterValidator(_checked_hash)]


class _File(RootModel[dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9._@-]{1,100}$")], _Entry]]):
    """A table per account: `[ann]` with `role` and `password`."""
