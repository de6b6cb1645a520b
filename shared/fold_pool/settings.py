"""The settings of a program that has a pool."""

from pydantic import Field

from shared.config.settings import Settings


class PoolSettings(Settings):
    """Limits of the folds of large calls."""

    pool_processes: int = Field(1, ge=1, le=64, description="Processes that fold large calls, one call each at a time")
    pool_memory_mb: int = Field(
        2048, ge=64, le=1_048_576, description="Memory limit of such a process in MB; a fold takes ten times its log"
    )
    pool_queue: int = Field(
        8, ge=0, le=10_000, description="Large calls, or readers of them, that may wait for a process"
    )
    pool_seconds: float = Field(300.0, ge=1, le=3600, description="A fold that takes longer (seconds) is ended")
