"""Settings that every program shares: one prefix, `CALLFOLD_`, read from the environment or from files of secrets."""

import sys
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CALLFOLD_"


class _Secrets(BaseSettings):
    """Where the files of secrets are: read first, from wherever else the settings come from."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    secrets_dir: Path = Path("/run/secrets")


class Settings(BaseSettings):
    """What every program needs to know.

    Each field is the environment variable `CALLFOLD_<NAME>`. A file of that name (lower case) in the folder that
    `CALLFOLD_SECRETS_DIR` names (default `/run/secrets`) does the same: no secret has to stand in an environment.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    kafka_bootstrap: str = Field("127.0.0.1:9092", min_length=1, description="Kafka's brokers, `host:port[,host:port]`")
    topic_prefix: str = Field(
        "calls", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="The topics are `<prefix>.telephony` and so on"
    )
    group: str = Field("callfold", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="The workers' consumer group")
    mongo_uri: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017/?replicaSet=rs"), description="MongoDB, a replica set, as its URI"
    )
    mongo_database: str = Field("callfold", pattern=r"^[A-Za-z0-9_-]{1,60}$", description="MongoDB's database")
    price_book: Path | None = Field(None, description="A price book to use in place of the one that ships")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged")
    log_format: Literal["json", "console"] = Field("json", description="One JSON object a line, or for a person")

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Return the settings that the environment gives; exit with 2 and one line for each that is wrong.

        The line names the variable, what it had (never of a secret) and what it needs.
        """
        folder = _Secrets(_env_file=cls.model_config.get("env_file")).secrets_dir
        try:
            return cls(_secrets_dir=folder if folder.is_dir() else None, **overrides)
        except ValidationError as error:
            for line in complaints(cls, error):
                print(line, file=sys.stderr)  # noqa: T201 - there is no log yet
            sys.exit(2)


def complaints(settings: type[Settings], error: ValidationError) -> list[str]:
    """Return a line for each wrong setting: `CALLFOLD_X is 'y': what it needs`."""
    lines = []
    for problem in error.errors(include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        field = settings.model_fields.get(name)
        variable = f"{PREFIX}{name.upper()}"
        secret = field is not None and "Secret" in str(field.annotation)
        meaning = f" ({field.description})" if field is not None and field.description else ""
        had = "is not set" if problem["type"] == "missing" else "is wrong" if secret else f"is {problem['input']!r}"
        lines.append(f"{variable} {had}: {problem['msg'][0].lower()}{problem['msg'][1:]}{meaning}")
    return lines


def describe(settings: type[Settings]) -> str:
    """Return the settings' variables, a line each, for `--help`."""
    lines = ["Variables, or files of their names in lower case in the folder CALLFOLD_SECRETS_DIR (/run/secrets):"]
    for name, field in settings.model_fields.items():
        secret = "Secret" in str(field.annotation)
        default = "required" if field.is_required() else "secret" if secret else field.default
        lines.append(f"  {PREFIX}{name.upper():<20} {field.description} [{default}]")
    return "\n".join(lines)
