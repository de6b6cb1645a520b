"""The settings of the command `callfold`."""

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from services.ops.failure import USAGE, Failure
from shared.settings import Settings
from shared.topics import Topics

LOCAL_STACK = Path(".local/callfold.env")
"""Written by the local stack; whoever stands in that folder needs no variable."""

_BROKER = re.compile(r"(\[[0-9A-Fa-f:]+\]|[^\s,:\[\]]+)(:([0-9]{1,5}))?", re.ASCII)
_PORTS = range(1, 65_536)


def _brokers(text: str) -> str:
    for broker in text.split(","):
        found = _BROKER.fullmatch(broker.strip())
        if found is None or int(found[3] or 9092) not in _PORTS:
            raise PydanticCustomError("brokers", "must be `host:port`, several with commas between them")
    return text


class OpsSettings(Settings):
    """What a command needs to know; the environment wins over the file of the local stack."""

    model_config = SettingsConfigDict(env_file=LOCAL_STACK)

    kafka_bootstrap: Annotated[str, AfterValidator(_brokers)] = Field("127.0.0.1:9092", description="Kafka's brokers")

    @property
    def topics(self) -> Topics:
        """The topics under the prefix."""
        return Topics(self.topic_prefix)

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """See the parent.

        Raises:
            Failure: a file of settings or of secrets cannot be read.
        """
        try:
            return super().load(**overrides)
        except OSError as error:
            raise Failure(f"{error.filename} cannot be read: {error.strerror}", USAGE) from error
        except UnicodeDecodeError as error:  # the message would quote the file, which may be a secret
            raise Failure(f"{LOCAL_STACK}, or a file of secrets, is not UTF-8", USAGE) from error


class KeySettings(OpsSettings):
    """What making a key needs beside that."""

    key_pepper: SecretStr = Field(
        min_length=32, description="Key of the hash that is kept of each secret; the same as the API's"
    )
