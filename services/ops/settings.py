"""The settings of the command `callfold`."""

from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.ops.console import print_error
from services.ops.program import Program
from shared.config.settings import PREFIX, Settings
from shared.contract.topics import Topics

LOCAL_STACK = Path(".local/callfold.env")
"""Written by `make up`; read from the present folder, so that no variable has to be set."""

KAFKA, MONGO = "kafka_bootstrap", "mongo_uri"
"""The settings that name a server."""


class OpsSettings(Settings):
    """The shared settings; variables of the environment override the file of the local stack, or of `--env`."""

    model_config = SettingsConfigDict(env_file=LOCAL_STACK)

    @property
    def topics(self) -> Topics:
        return Topics(self.topic_prefix)

    def address(self, server: str) -> str:
        """Return where `KAFKA` or `MONGO` is, without any user and password."""
        return self.kafka_bootstrap if server == KAFKA else _hosts(self.mongo_uri.get_secret_value())


class KeySettings(OpsSettings):
    """The settings of `keys create`."""

    api_secret_pepper: SecretStr = Field(
        min_length=32, description="Key of the HMAC that stored API secrets are hashed with; the same as the API's"
    )


AnySettings = TypeVar("AnySettings", bound=OpsSettings)


def load(program: Program, *servers: str, kind: type[AnySettings]) -> AnySettings:
    """Return the settings of a command that uses these servers; name those on standard error that nobody has set.

    Else a command that is run in the wrong folder would silently publish to, or read from, another installation.
    """
    settings = kind.load(env_file=program.env_file)
    used = [server for server in servers if server not in settings.model_fields_set]
    if used:
        names = {KAFKA: "Kafka", MONGO: "MongoDB"}
        places = (f"{names[each]} at {settings.address(each)} ({PREFIX}{each.upper()} is not set)" for each in used)
        print_error(f"callfold: using {' and '.join(places)}; --env FILE names a file of settings")
    return settings


def _hosts(uri: str) -> str:
    """Return the hosts of a valid URI, without the user and the password."""
    return uri.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].rpartition("@")[2]
