"""Dead letters as JSON Lines, of which nothing is lost, and a file that is there as a whole or not at all."""

import base64
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from services.ops.console import as_json
from services.ops.dead_letters.reader import Found
from services.ops.errors import CommandError

Write = Callable[[str], object]


def line_of(found: Found) -> str:
    r"""Return a dead letter as one line of JSON, its end included.

    After what the list shows come `key`, `headers` (pairs of a name and its bytes, in their order) and `value`. Bytes
    are `{"text": ...}` where they are UTF-8, else `{"base64": ...}`, and null where there are none.
    """
    record, letter = found
    headers = [[name, readable(content)] for name, content in record.headers]
    whole = {"key": readable(record.key), "headers": headers, "value": readable(record.value)}
    return f"{as_json(asdict(letter) | whole)}\n"


def readable(content: bytes | None) -> dict[str, str] | None:
    """Return the bytes as JSON can hold them."""
    if content is None:
        return None
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


@contextmanager
def written(file: str, *, force: bool) -> Iterator[Write]:
    """Open a file for writing: it is there under its name when the context ends well, and not at all if it does not.

    Only its owner may read it. `force`: in the place of one that is there.

    Raises:
        CommandError: there is one and `force` is not set, or it cannot be written.
    """
    path = Path(file).resolve()
    if path.exists() and not (force and path.is_file()):
        raise CommandError(_there(file) if path.is_file() else f"{file} is no file that could be written over")
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
        raise CommandError(_there(file)) from error
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from error


def _name(part: str, path: Path, *, force: bool) -> None:
    if force:
        Path(part).replace(path)
    else:
        path.hardlink_to(part)  # which, unlike a rename, spares a file that has come meanwhile


def _there(file: str) -> str:
    return f"{file} is there already: --force writes over it"
