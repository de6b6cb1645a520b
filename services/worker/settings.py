"""The worker's settings."""

from pathlib import Path

from pydantic import Field, SecretStr

from shared.fold_pool.settings import PoolSettings


class WorkerSettings(PoolSettings):
    """The worker's own settings, next to those of every program."""

    log_id_hmac_key: SecretStr = Field(
        min_length=32,
        description="Log id HMAC key: key of the hash in the ids of log documents; the same for all workers",
    )
    metrics_host: str = Field("127.0.0.1", description="Host of /metrics, /healthz and /readyz")
    metrics_port: int = Field(6066, ge=1, le=65535, description="Port of /metrics, /healthz and /readyz")
    partitions: int = Field(12, ge=1, le=10_000, description="Partitions of an input topic that the worker creates")
    replication_factor: int = Field(1, ge=1, le=32, description="Replicas of a topic that the worker creates")
    batch_events: int = Field(20_000, ge=1, le=100_000, description="Most records in one batch")
    commit_seconds: float = Field(1.0, gt=0, le=60, description="Interval between commits of offsets")
    session_seconds: float = Field(
        30.0, ge=6, le=300, description="Session timeout: a worker without a heartbeat for this time counts as dead"
    )
    lease_seconds: float = Field(
        60.0,
        ge=1,
        le=3600,
        description="Lease of a call: another worker may take it over after this time without renewal",
    )
    poll_seconds: float = Field(
        5.0, gt=0, le=600, description="Interval between searches for stale calls that other workers left"
    )
    idle_check_seconds: float = Field(
        60.0, gt=0, le=3600, description="Interval between searches for idle calls to end"
    )
    policies: Path | None = Field(
        None, description="Policies file (TOML): idle-call timeouts and retention, also per organization"
    )
    tombstone_days: float | None = Field(
        None,
        ge=1,
        le=36_500,
        description="How long a deleted call keeps its tombstone; by default as long as the topics can hold its events",
    )
    grace_seconds: float = Field(30.0, ge=1, le=600, description="The process ends within this time after SIGTERM")
    mongo_timeout_ms: int = Field(30_000, ge=100, le=600_000, description="Time limit of one MongoDB operation")
    record_batch_mb: int = Field(
        64,
        ge=1,
        le=1024,
        description="Most MB of a producer's batch when it is decompressed; a larger one is passed over and reported",
    )
