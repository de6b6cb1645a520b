"""The settings of the command `callfold`."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.config.settings import Settings
from shared.contract.topics import Topics

LOCAL_STACK = Path(".local/callfold.env")
"""Written by `make up`; read from the present folder, so that no variable has to be set."""


class OpsSettings(Settings):
    """The shared settings; variables of the environment override the file of the local stack."""

    model_config = SettingsConfigDict(env_file=LOCAL_STACK)

    @property
    def topics(self) -> Topics:
        return Topics(self.topic_prefix)


class KeySettings(OpsSettings):
    """The settings of `keys create`."""

    api_secret_pepper: SecretStr = Field(
        min_length=32, description="Key of the HMAC that stored API secrets are hashed with; the same as the API's"
    )
