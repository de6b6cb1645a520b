"""The API's settings."""

from ipaddress import ip_network

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from shared.fold_pool.settings import PoolSettings


class ApiSettings(PoolSettings):
    """The shared settings and those of the API alone."""

    api_secret_pepper: SecretStr = Field(
        min_length=32,
        description="Key of the HMAC that stored API secrets are hashed with; `callfold keys create` needs the same",
    )
    api_host: str = Field("127.0.0.1", min_length=1, description="The address that the API listens on")
    api_port: int = Field(8080, ge=1, le=65535, description="The port that the API listens on")
    api_drain_seconds: int = Field(10, ge=1, le=600, description="Time that open requests have to end after SIGTERM")
    api_timeout_ms: int = Field(2_500, ge=100, le=60_000, description="Time that a request waits for MongoDB in all")
    api_fold_timeout_ms: int = Field(
        30_000, ge=100, le=600_000, description="Time that a request waits for the fold of a large call"
    )
    api_trusted_proxies: str | None = Field(
        None, description="Addresses and networks, separated by commas, of proxies whose X-Forwarded-For is believed"
    )
    api_rejected_keys_per_minute: int = Field(
        60, ge=0, le=1_000_000, description="Requests with a wrong key or secret from one client address; 0: no limit"
    )
    api_key_requests_per_second: int = Field(
        0, ge=0, le=1_000_000, description="Requests with one key, in each process of the API; 0: no limit"
    )
    api_access_log: float = Field(
        0.01, ge=0, le=1, description="Share of the successful requests that is logged; others are always logged"
    )
    api_connections: int = Field(
        2_000,
        ge=1,
        le=100_000,
        description="Connections at a time; for a new one, the one that waits longest for its client is closed",
    )
    api_head_bytes: int = Field(
        16 * 1024, ge=1024, le=1024 * 1024, description="Bytes of a request's first line and headers together"
    )
    api_head_seconds: int = Field(10, ge=1, le=600, description="Time for the first line and headers of a request")
    api_idle_seconds: int = Field(
        75, ge=1, le=3_600, description="Time that a connection stays open between two requests; longer than a proxy's"
    )
    api_metrics_host: str = Field("127.0.0.1", min_length=1, description="Host of `CALLFOLD_API_METRICS_PORT`")
    api_metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port of /metrics and /readyz, if they are not to be on the API's own"
    )

    @field_validator("api_trusted_proxies")
    @classmethod
    def _networks(cls, value: str | None) -> str | None:
        try:
            for each in value.split(",") if value else ():
                ip_network(each.strip())
        except ValueError as error:
            raise PydanticCustomError(
                "network", "must be addresses and networks like 10.1.2.3,10.2.0.0/16,fd00::/8"
            ) from error
        return value
