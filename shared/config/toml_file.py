"""Loading a configuration file in TOML."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

T = TypeVar("T")


class InvalidConfigFile(ValueError):
    """A configuration file cannot be used; the message is one line that names the variable, the file and the place."""


def load_toml(path: Path, variable: str, validate: Callable[[dict[str, Any]], T]) -> T:
    """Return what `validate` makes of the file at `path`, to which the environment variable `variable` points.

    Raises:
        InvalidConfigFile: the file cannot be read, is not TOML in UTF-8, or `validate` raises a `ValueError`.
    """
    try:
        return validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except ValueError as error:
        problem = f"is not TOML in UTF-8: {error}"
    raise InvalidConfigFile(f"{variable}, {path}: {problem}")
