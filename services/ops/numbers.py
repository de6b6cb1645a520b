"""Numbers of dead letters, as the command line names them."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.ops.errors import USAGE, CommandError
from shared.dead_letters.errors import AmbiguousNumber, InvalidNumber, NoSuchDeadLetter

_HINT = "`dead-letters list` shows them"


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise what is wrong with the number of a dead letter as a CommandError."""
    try:
        yield
    except NoSuchDeadLetter as error:
        raise CommandError(f"{error}; {_HINT}") from error
    except InvalidNumber as error:
        raise CommandError(f"{error}; {_HINT}", USAGE) from error
    except AmbiguousNumber as error:
        raise CommandError(str(error), USAGE) from error
