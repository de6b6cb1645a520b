"""PURE: calls as the lists show them: without what was said, and without numbers."""

from dataclasses import dataclass
from urllib.parse import quote, unquote

from services.console.calls.filters import STATES
from shared.store.ids import names_of
from shared.store.models import CallSummary


@dataclass(frozen=True, slots=True)
class Row:
    """A call of a list; `finality` is `broken` if it has no record."""

    organization: str
    call: str
    finality: str
    summary: CallSummary

    @property
    def field(self) -> str:
        """The call as a form sends it: a browser changes line ends and what is no character."""
        return quote(self.summary.call, safe="")

    def waits(self, now: int) -> float | None:
        """Return for how many seconds it waits for a fold."""
        since = self.summary.stale_since
        return None if since is None else max(0, now - since) / 1000


def row_of(call: CallSummary) -> Row:
    finality = next(name for name, states in STATES.items() if call.state in states)
    return Row(*names_of(call.call), finality, call)


def call_of_field(value: str) -> str:
    """Return the key of a call from the field of a form."""
    return unquote(value)
