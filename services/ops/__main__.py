"""Entry of the command `callfold`: chooses MongoDB as the store; an error is one line and an exit code."""

import io
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from services.ops.app import NAME, create_app
from services.ops.console import print_error
from services.ops.errors import FAILED, USAGE, CommandError
from shared.kafka.errors import KafkaUnavailable

if TYPE_CHECKING:
    from services.ops.database import Database
    from services.ops.settings import OpsSettings
    from shared.store.mongo.client import Connection


def main() -> None:
    """Run the command; exits with 0, 1, 2 for invalid arguments or settings, or 130 after Ctrl-C."""
    # The one line of an error says what the libraries would log, and does not quote a URI.
    logging.basicConfig(handlers=[logging.NullHandler()])
    logging.captureWarnings(capture=True)
    sys.stdout, sys.stderr = _stream(sys.stdout), _stream(sys.stderr)
    try:
        code = run()
        sys.stdout.flush()
    except OSError as error:
        # Python flushes what is left at exit, and would print another error.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # the reader of the pipe, such as `head`, has ended
            print_error(f"callfold: cannot write the output: {error.strerror}")
        code = FAILED
    sys.exit(code)


def run() -> int:
    """Run what the command line asks for, and return the exit code."""
    try:
        code: int = create_app()(prog_name=NAME, obj=mongo, standalone_mode=False) or 0
    except CommandError as error:
        return _failed(str(error), error.code)
    except KafkaUnavailable as error:
        return _failed(str(error), FAILED)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _failed(f"{error.format_message()} (see callfold --help)", USAGE)
    return code


def _failed(why: str, code: int) -> int:
    print_error(f"callfold: {' '.join(why.split())}")
    return code


def connect(settings: "OpsSettings") -> "Connection":
    """Return a connection to MongoDB; nothing is sent yet."""
    from services.ops.database import TIMEOUT_MS
    from shared.store.mongo.client import Connection, InvalidMongoUri

    try:
        return Connection(settings.mongo, settings.mongo_database, driver=settings.mongo_driver, timeout_ms=TIMEOUT_MS)
    except InvalidMongoUri as error:
        raise CommandError(str(error), USAGE) from error


@asynccontextmanager
async def mongo(settings: "OpsSettings") -> AsyncIterator["Database"]:
    """Open the database."""
    from services.ops.database import Database
    from shared.store.mongo.api_keys import MongoApiKeys
    from shared.store.mongo.calls import MongoStore
    from shared.store.mongo.write_probe import MongoWriteProbe

    connection = connect(settings)
    try:
        yield Database(MongoStore(connection), MongoApiKeys(connection), MongoWriteProbe(connection))
    finally:
        await connection.close()


def _stream(stream: TextIO | None) -> TextIO:
    """Return a stream that accepts any text: a closed one is None, and a terminal may not be UTF-8."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream or Path(os.devnull).open("w", encoding="utf-8")


if __name__ == "__main__":
    main()
