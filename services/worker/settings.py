"""The worker's settings."""

from pathlib import Path

from pydantic import Field, SecretStr

from shared.fold_pool.settings import PoolSettings


class WorkerSettings(PoolSettings):
    """What the worker needs to know beside what every program does."""

    log_id_hmac_key: SecretStr = Field(
        min_length=32,
        description="Key of the hash that names stretches of the log; the same for all workers",
    )
    metrics_host: str = Field("127.0.0.1", description="Where /metrics, /healthz and /readyz listen")
    metrics_port: int = Field(6066, ge=1, le=65535, description="Their port")
    partitions: int = Field(12, ge=1, le=10_000, description="Partitions of an input topic that has to be created")
    replication_factor: int = Field(1, ge=1, le=32, description="Replicas of a topic that has to be created")
    batch_events: int = Field(5_000, ge=1, le=100_000, description="Records flushed together at most")
    commit_seconds: float = Field(1.0, gt=0, le=60, description="Time between commits of offsets")
    session_seconds: float = Field(30.0, ge=6, le=300, description="Without a heartbeat for so long, a worker is dead")
    lease_seconds: float = Field(60.0, ge=1, le=3600, description="An unrenewed claim of a call holds for so long")
    poll_seconds: float = Field(5.0, gt=0, le=600, description="Time between searches for calls left by others")
    idle_check_seconds: float = Field(
        60.0, gt=0, le=3600, description="Time between searches for silent calls to close"
    )
    policies: Path | None = Field(None, description="A file of limits and retention, also for single organizations")
    tombstone_days: float | None = Field(
        None, ge=1, le=36_500, description="Deleted calls are remembered for so long; by default as the topics need it"
    )
    grace_seconds: float = Field(30.0, ge=1, le=600, description="After SIGTERM the process ends within this time")
    mongo_timeout_ms: int = Field(30_000, ge=100, le=600_000, description="Limit of one operation of MongoDB")
