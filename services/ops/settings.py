"""The settings of the command `callfold`."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.config.settings import Settings
from shared.contract.topics import Topics

LOCAL_STACK = Path(".local/callfold.env")
"""Written by the local stack; whoever stands in that folder needs no variable."""


class OpsSettings(Settings):
    """What a command needs to know; the environment wins over the file of the local stack."""

    model_config = SettingsConfigDict(env_file=LOCAL_STACK)

    @property
    def topics(self) -> Topics:
        """The topics under the prefix."""
        return Topics(self.topic_prefix)


class KeySettings(OpsSettings):
    """What making a key needs beside that."""

    api_secret_pepper: SecretStr = Field(
        min_length=32, description="Key of the hash that is kept of each secret; the same as the API's"
    )
