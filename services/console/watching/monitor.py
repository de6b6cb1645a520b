"""What the monitor knows, asked over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.console.watching.asking import ask


@dataclass(frozen=True, slots=True)
class Monitor:
    """The monitor at an address, such as `http://127.0.0.1:6067`; each method raises `NoAnswer`."""

    address: str

    async def lag(self) -> dict[str, Any]:
        """Return the document of `/lag` (docs/operations.md)."""
        document: dict[str, Any] = await ask("The monitor", self.address, "/lag")
        return document

    async def canary(self) -> Sequence[dict[str, Any]] | None:
        """Return the last calls of the canary, the newest first; None where it is off."""
        document = await ask("The monitor", self.address, "/canary")
        calls: Sequence[dict[str, Any]] = document["calls"]
        return calls if document["on"] else None
