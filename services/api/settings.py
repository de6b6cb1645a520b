"""The API's settings."""

from pydantic import Field, SecretStr

from shared.fold_pool.settings import PoolSettings


class ApiSettings(PoolSettings):
    """What the API needs to know beside what every program does."""

    api_secret_pepper: SecretStr = Field(
        min_length=32, description="Key of the hash that secrets are kept as; whoever adds keys needs the same"
    )
    api_host: str = Field("127.0.0.1", min_length=1, description="Where the API listens")
    api_port: int = Field(8080, ge=1, le=65535, description="Its port")
    api_drain_seconds: int = Field(10, ge=1, le=600, description="After SIGTERM open requests have so long")
    api_timeout_ms: int = Field(2_500, ge=100, le=60_000, description="A request waits so long for MongoDB in all")
    api_fold_timeout_ms: int = Field(
        30_000, ge=100, le=600_000, description="And so long for the fold of a large call, of which others may be ahead"
    )
