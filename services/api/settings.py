"""The API's settings."""

from pydantic import Field, SecretStr

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
