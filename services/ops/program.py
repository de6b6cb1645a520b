"""What every command is given."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loading these takes longer than `--help` may
    from services.ops.database import Database
    from services.ops.settings import OpsSettings

Opening = Callable[["OpsSettings"], AbstractAsyncContextManager["Database"]]
"""Opens the database that the settings name."""


@dataclass(frozen=True, slots=True)
class Program:
    """How to open the database, and the file of settings that `--env` names, None for that of the local stack."""

    opening: Opening
    env_file: Path | None = None
