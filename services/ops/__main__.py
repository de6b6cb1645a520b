"""Where the command `callfold` starts: chooses MongoDB, and turns every failure into one line and an exit code."""

import io
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TextIO

import typer

from services.ops.app import create_app
from services.ops.console import print_error
from services.ops.database import TIMEOUT_MS, Database
from services.ops.errors import FAILED, INTERRUPTED, USAGE, CommandError
from services.ops.settings import OpsSettings
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, InvalidMongoUri


def main() -> None:
    """Run the command; exits with 0, 1, or 2 for what was typed or set wrongly."""
    # What the libraries log and warn of is said by the one line of the failure, without quoting a URI.
    logging.basicConfig(handlers=[logging.NullHandler()])
    logging.captureWarnings(capture=True)
    sys.stdout, sys.stderr = _stream(sys.stdout), _stream(sys.stderr)
    try:
        code = run()
        sys.stdout.flush()
    except OSError as error:
        # At exit Python would flush what is left, and complain.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # whoever read has had enough
            print_error(f"callfold: the output cannot be written: {error.strerror}")
        code = FAILED
    sys.exit(code)


def run() -> int:
    """Return the exit code of what the command line asks for."""
    try:
        code: int = create_app()(obj=mongo, standalone_mode=False) or 0
    except CommandError as failure:
        print_error(f"callfold: {_one_line(str(failure))}")
        return failure.code
    except typer.TyperException as mistake:
        if mistake.format_message():  # empty where the help was printed instead
            print_error(f"callfold: {_one_line(mistake.format_message())} (see callfold --help)")
        return USAGE
    if code == INTERRUPTED:
        print_error("callfold: interrupted")
    return code


def connect(settings: OpsSettings) -> Connection:
    """Return a connection to MongoDB; nothing is sent yet."""
    try:
        return Connection(settings.mongo, settings.mongo_database, driver=settings.mongo_driver, timeout_ms=TIMEOUT_MS)
    except InvalidMongoUri as error:
        raise CommandError(str(error), USAGE) from error


@asynccontextmanager
async def mongo(settings: OpsSettings) -> AsyncIterator[Database]:
    """Open the database."""
    connection = connect(settings)
    try:
        yield Database(MongoStore(connection), MongoApiKeys(connection))
    finally:
        await connection.close()


def _stream(stream: TextIO | None) -> TextIO:
    """Return a stream that takes any text: one that the shell closed is None, and a terminal may not be UTF-8."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream or Path(os.devnull).open("w", encoding="utf-8")


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
