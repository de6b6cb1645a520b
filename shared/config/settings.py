"""The settings of every program, from environment variables `CALLFOLD_...` or from files of secrets."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from shared.config.mongo import MongoSettings
from shared.config.program import INVALID_SETTINGS, fail
from shared.kafka.settings import KafkaSettings

PREFIX = "CALLFOLD_"


class _Secrets(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    secrets_dir: Path = Path("/run/secrets")


class Settings(MongoSettings, KafkaSettings):
    """The settings of every program.

    Each field is an environment variable `CALLFOLD_<NAME>`, or a file of that name in lower case in the directory
    `CALLFOLD_SECRETS_DIR` (default `/run/secrets`), so that no secret has to be in the environment.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    topic_prefix: str = Field(
        "calls", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="Prefix of the topics: `<prefix>.telephony` ..."
    )
    group: str = Field("callfold", pattern=r"^[A-Za-z0-9._-]{1,200}$", description="Consumer group of the workers")
    price_book: Path | None = Field(None, description="Price book (TOML) in place of the one that ships")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level that is logged")
    log_format: Literal["json", "console"] = Field("json", description="Log lines as JSON, or readable")

    @classmethod
    def load(cls, *, env_file: Path | None = None, **overrides: Any) -> Self:
        """Return the settings of the environment, then of `env_file`, None for the file that the class names.

        Exits with 2 and one line per invalid setting on standard error: the variable, its value (unless it is a secret)
        and what it must be.
        """
        try:
            file = env_file or cls.model_config.get("env_file")
            folder = _Secrets(_env_file=file).secrets_dir
            return cls(_env_file=file, _secrets_dir=folder if folder.is_dir() else None, **overrides)
        except ValidationError as error:
            fail(INVALID_SETTINGS, *_error_lines(cls, error))
        except OSError as error:
            fail(INVALID_SETTINGS, f"{error.filename} cannot be read: {error.strerror}")
        except (UnicodeDecodeError, SettingsError):  # the message would quote the file
            fail(INVALID_SETTINGS, "A file of settings or secrets is not UTF-8: save it as UTF-8")


def _error_lines(settings: type[Settings], error: ValidationError) -> list[str]:
    """Return `CALLFOLD_X is 'y': must be ... (description)` for each invalid setting."""
    lines = []
    for problem in error.errors(include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        field = settings.model_fields.get(name)
        variable = f"{PREFIX}{name.upper()}"
        secret = field is not None and "Secret" in str(field.annotation)
        meaning = f" ({field.description})" if field is not None and field.description else ""
        found = "is not set" if problem["type"] == "missing" else "is wrong" if secret else f"is {problem['input']!r}"
        lines.append(f"{variable} {found}: {problem['msg'][0].lower()}{problem['msg'][1:]}{meaning}")
    return lines


def describe(settings: type[Settings]) -> str:
    lines = ["Variables, or files with their names in lower case in the directory CALLFOLD_SECRETS_DIR (/run/secrets):"]
    for name, field in settings.model_fields.items():
        secret = "Secret" in str(field.annotation)
        default = "required" if field.is_required() else "secret" if secret else field.default
        lines.append(f"  {PREFIX}{name.upper():<24} {field.description} [{default}]")
    return "\n".join(lines)
