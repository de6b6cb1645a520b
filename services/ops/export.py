"""Dead letters as JSON Lines, without any loss, and files that are complete or do not exist."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from services.ops.console import as_json
from services.ops.errors import CommandError
from shared.dead_letters.content import content_of
from shared.dead_letters.dead_letter import DeadLetter

Write = Callable[[str], object]


def line_of(letter: DeadLetter) -> str:
    """Return a dead letter as one line of JSON, its end included."""
    return f"{as_json(content_of(letter))}\n"


@contextmanager
def written(file: str, *, force: bool) -> Iterator[Write]:
    """Open a file for writing: it gets its name when the context ends well, and is removed if it does not.

    Only its owner may read it. `force` replaces an existing file.

    Raises:
        CommandError: the file exists and `force` is not set, or it cannot be written.
    """
    path = Path(file).resolve()
    if path.exists() and not (force and path.is_file()):
        raise CommandError(_exists(file) if path.is_file() else f"{file} is not a regular file; name another one")
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as part:
            try:
                yield part.write
                part.flush()
                os.fsync(part.fileno())
                _name(part.name, path, force=force)
            finally:
                Path(part.name).unlink(missing_ok=True)
    except FileExistsError as error:
        raise CommandError(_exists(file)) from error
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from error


def _name(part: str, path: Path, *, force: bool) -> None:
    if force:
        Path(part).replace(path)
    else:
        path.hardlink_to(part)  # unlike a rename, fails if another process has created the file meanwhile


def _exists(file: str) -> str:
    return f"{file} already exists; --force replaces it"
