"""The settings of the canary, a part of the monitor's."""

from typing import Annotated, Any

from pydantic import Field, SecretStr, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

from shared.config.policies import CANARY_ORGANIZATION

_Url = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s@?#]+(/[^\s?#]*)?$")]


class CanarySettings(BaseSettings):
    """What the canary publishes, and how it reads it."""

    monitor_canary: bool = Field(
        False, description="Publish a synthetic call every few seconds, and read it back from the API"
    )
    monitor_canary_organization: str = Field(
        CANARY_ORGANIZATION,
        pattern=r"^[^/\x00-\x1f\x7f]{1,128}$",
        description="Organization of the canary's calls; any other than the default needs a retention of its own",
    )
    monitor_canary_seconds: float = Field(10.0, ge=1, le=3600, description="Time from one canary call to the next")
    monitor_canary_late_seconds: float = Field(
        10.0, ge=1, le=600, description="A canary call that is not readable, or not final, within this time is late"
    )
    monitor_canary_api_url: _Url = Field(
        "http://127.0.0.1:8080", description="The API that the canary reads from, without `/api`"
    )
    # They come last: they are required by the first.
    monitor_canary_api_key: SecretStr | None = Field(
        None, min_length=1, validate_default=True, description="API key of the canary's organization"
    )
    monitor_canary_api_secret: SecretStr | None = Field(
        None, min_length=1, validate_default=True, description="Secret of the canary's API key"
    )

    @field_validator("monitor_canary_api_key", "monitor_canary_api_secret")
    @classmethod
    def _with_canary(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.data.get("monitor_canary"):
            raise PydanticCustomError("missing", "is required with CALLFOLD_MONITOR_CANARY")
        return value
