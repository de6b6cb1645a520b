"""What the monitor knows, asked over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from services.console.watching.asking import NoAnswer, ask
from shared.lag.models import Verdict

Known = float | str | None
"""A number, "never" for one that does not end, None for what is not known."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class Total(_Document):
    """All partitions together."""

    lag: Known
    lag_seconds: Known
    drain_seconds: Known


class Partition(_Document):
    """One partition, as docs/operations.md describes it (Lag)."""

    topic: str
    partition: int
    verdict: str
    cause: str
    lag: int | None = None
    lag_seconds: Known = None
    arrivals_per_second: float | None = None
    commits_per_second: float | None = None
    drain_seconds: Known = None
    headroom_seconds: Known = None
    owner: str | None = None
    since: str | None = None


class Lag(_Document):
    """The document of `/lag`; `at` is the moment of the reading (RFC 3339)."""

    at: str
    verdict: str
    cause: str
    since: str | None
    state: str
    members: int | None
    kafka: str
    mongodb: str
    total: Total
    partitions: Sequence[Partition]

    @property
    def late(self) -> int:
        """How many partitions are."""
        return sum(part.verdict != Verdict.OK for part in self.partitions)


class CanaryCall(_Document):
    """A call of the canary."""

    call_id: str
    result: str | None
    readable_seconds: float | None
    final_seconds: float | None
    why: str | None
    wrong_fields: Sequence[str]


class _Canary(_Document):
    on: bool
    calls: Sequence[CanaryCall]


D = TypeVar("D", bound=_Document)


@dataclass(frozen=True, slots=True)
class Monitor:
    """The monitor at an address, such as `http://127.0.0.1:6067`; each method raises `NoAnswer`."""

    address: str

    async def lag(self) -> Lag:
        return self._read(Lag, await ask("The monitor", self.address, "/lag"))

    async def canary(self) -> Sequence[CanaryCall] | None:
        """Return the last calls of the canary, the newest first; None where it is off."""
        document = self._read(_Canary, await ask("The monitor", self.address, "/canary"))
        return document.calls if document.on else None

    def _read(self, kind: type[D], content: Any) -> D:
        try:
            return kind.model_validate(content)
        except ValidationError as error:
            raise NoAnswer(f"The monitor at {self.address} answers with something else: another version?") from error
