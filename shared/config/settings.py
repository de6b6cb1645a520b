"""Settings that every program shares: one prefix, `CALLFOLD_`, read from the environment or from files of secrets."""

import sys
from pathlib import Path
from typing import Any, Literal, NoReturn, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from shared.config.mongo import MongoSettings
from shared.kafka.settings import KafkaSettings

PREFIX = "CALLFOLD_"


class _Secrets(BaseSettings):
    """Where the files of secrets are: read first, from wherever else the settings come from."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    secrets_dir: Path = Path("/run/secrets")


class Settings(MongoSettings, KafkaSettings):
    """What every program needs to know.

    Each field is the environment variable `CALLFOLD_<NAME>`. A file of that name (lower case) in the folder that
    `CALLFOLD_SECRETS_DIR` names (default `/run/secrets`) does the same: no secret has to stand in an environment.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    topic_prefix: str = Field(
        "calls", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="The topics are `<prefix>.telephony` and so on"
    )
    group: str = Field("callfold", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="The workers' consumer group")
    price_book: Path | None = Field(None, description="A price book to use in place of the one that ships")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged")
    log_format: Literal["json", "console"] = Field("json", description="One JSON object a line, or for a person")

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Return the settings that the environment gives; exit with 2 and one line for each that is wrong.

        The line names the variable, what it had (never of a secret) and what it needs.
        """
        try:
            folder = _Secrets(_env_file=cls.model_config.get("env_file")).secrets_dir
            return cls(_secrets_dir=folder if folder.is_dir() else None, **overrides)
        except ValidationError as error:
            _fail(*complaints(cls, error))
        except OSError as error:
            _fail(f"{error.filename} cannot be read: {error.strerror}")
        except (UnicodeDecodeError, SettingsError):  # the message would quote the file, which may be a secret
            _fail("A file of settings or of secrets is not UTF-8")


def _fail(*lines: str) -> NoReturn:
    for line in lines:
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
        lines.append(f"  {PREFIX}{name.upper():<24} {field.description} [{default}]")
    return "\n".join(lines)
