"""When idle calls are ended and how long calls are kept: by default, and for single organizations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.config.toml_file import load_toml

_LONGEST_SECONDS = 366 * 86_400
_SLACK_DIVISOR = 12
_CANARY = {"retention_days": 1}

CANARY_ORGANIZATION = "callfold-canary"
"""The organization of the monitor's synthetic calls. They are kept for a day unless a policy of it says otherwise."""

LONGEST_SLACK_MS = 5 * 60 * 1000
"""The stored last arrival of a call lags by at most this, however long the idle-call timeout."""

_Seconds = Annotated[int, Field(gt=0, le=_LONGEST_SECONDS)]


class Policy(BaseModel):
    """The policy of an organization. With `retention_days` 0 its calls are never deleted.

    The others are idle-call timeouts: a call is ended if no event of it arrives for so long. They are for calls that
    are ongoing, that were created but not started, and that are scheduled (counted from the planned start).
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
        return self.organizations.get(organization_id, self.default)

    def all(self) -> list[Policy]:
        return [self.default, *self.organizations.values()]

    @property
    def shortest_ms(self) -> int:
        """The shortest idle-call timeout of all, in milliseconds."""
        return 1000 * min(
            min(each.close_ongoing_seconds, each.close_registered_seconds, each.close_scheduled_seconds)
            for each in self.all()
        )

    @property
    def slack_ms(self) -> int:
        """How far the stored last arrival of a call may lag, in milliseconds.

        It is not written with each event. A twelfth of the shortest timeout: idle calls end that much later.
        """
        return min(LONGEST_SLACK_MS, self.shortest_ms // _SLACK_DIVISOR)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    default: Policy = Policy()
    organizations: dict[str, dict[str, Any]] = {}


class _Organizations(BaseModel):
    organizations: dict[str, Policy]


def load(path: Path | None = None) -> Policies:
    """Return the policies in `path`, a TOML file, or the defaults. What an organization leaves out is the default's.

    The canary's calls are kept for a day unless the file says otherwise.

        [default]
        retention_days = 365
        [organizations.org-1]
        close_ongoing_seconds = 600

    Raises:
        InvalidConfigFile: the file cannot be read, or has no valid policies.
    """
    return _policies({}) if path is None else load_toml(path, "CALLFOLD_POLICIES", _policies)


def _policies(found: dict[str, Any]) -> Policies:
    file = _File.model_validate(found)
    stated = {**file.organizations, CANARY_ORGANIZATION: _CANARY | file.organizations.get(CANARY_ORGANIZATION, {})}
    merged = {name: file.default.model_dump() | own for name, own in stated.items()}
    return Policies(file.default, _Organizations.model_validate({"organizations": merged}).organizations)
