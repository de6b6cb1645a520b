"""How long calls may be silent, and how long they are kept: for all organizations, and for single ones."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_VARIABLE = "CALLFOLD_POLICIES"
_LONGEST_SECONDS = 366 * 86_400
_SLACK_PART = 12

LONGEST_SLACK_MS = 5 * 60 * 1000
"""What is kept of a call's last arrival lies behind by no more than this, however long calls may be silent."""

_Seconds = Annotated[int, Field(gt=0, le=_LONGEST_SECONDS)]


class InvalidPolicies(ValueError):
    """The file holds no policies; the message says why in one line."""


class Policy(BaseModel):
    """What holds for an organization's calls; `retention_days` 0: they are kept for ever.

    A call from which nothing has arrived for so long is closed: one that goes on, one that was created and never
    started, one that was scheduled (from its planned start).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    close_ongoing_seconds: _Seconds = 2 * 3600
    close_registered_seconds: _Seconds = 24 * 3600
    close_scheduled_seconds: _Seconds = 24 * 3600
    retention_days: Annotated[int, Field(ge=0, le=36_500)] = 0


@dataclass(frozen=True, slots=True)
class Policies:
    """The policy of each organization."""

    default: Policy = field(default_factory=Policy)
    organizations: Mapping[str, Policy] = field(default_factory=dict)

    def of(self, organization_id: str) -> Policy:
        """Return the policy of an organization."""
        return self.organizations.get(organization_id, self.default)

    def all(self) -> list[Policy]:
        """Return every policy there is."""
        return [self.default, *self.organizations.values()]

    @property
    def shortest_ms(self) -> int:
        """The shortest time, in milliseconds, after which any silent call is closed."""
        return 1000 * min(
            min(each.close_ongoing_seconds, each.close_registered_seconds, each.close_scheduled_seconds)
            for each in self.all()
        )

    @property
    def slack_ms(self) -> int:
        """How far what is kept of a call's last arrival may lie behind, in milliseconds.

        It is not written at each event; a twelfth of the shortest limit, since a silent call is closed so much later.
        """
        return min(LONGEST_SLACK_MS, self.shortest_ms // _SLACK_PART)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    default: Policy = Policy()
    organizations: dict[str, dict[str, Any]] = {}


class _Organizations(BaseModel):
    organizations: dict[str, Policy]


def load(path: Path | None = None) -> Policies:
    """Return the policies in `path`, a TOML file, or the defaults; what an organization does not say is the default's.

        [default]
        retention_days = 365
        [organizations.org-1]
        close_ongoing_seconds = 600

    Raises:
        InvalidPolicies: no such file, no TOML, or not what policies need.
    """
    if path is None:
        return Policies()
    try:
        file = _File.model_validate(tomllib.loads(path.read_text("utf-8")))
        default = file.default.model_dump()
        whole = {name: {**default, **said} for name, said in file.organizations.items()}
        own = _Organizations.model_validate({"organizations": whole}).organizations
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidPolicies(f"{_VARIABLE}, {path}: {place}: {first['msg']}") from error
    except (OSError, ValueError) as error:
        raise InvalidPolicies(f"{_VARIABLE}, {path}: {error}") from error
    return Policies(file.default, own)
