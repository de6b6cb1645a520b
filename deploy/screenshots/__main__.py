"""Writes docs/screenshots again: `python -m deploy.screenshots`."""

import logging
import sys
from importlib.util import find_spec

from deploy.local.errors import LocalError
from deploy.local.interrupts import interrupt_on_every_signal

_TOOLS = ("playwright", "PIL")
_INTERRUPTED = 130


def main() -> None:
    """Run; print an error that the user can fix without a traceback."""
    if missing := [name for name in _TOOLS if find_spec(name) is None]:
        sys.exit(f"{' and '.join(missing)} of a developer's tools is not installed: make install")
    from deploy.screenshots.scene import screenshots  # noqa: PLC0415 - not before it is known to be installed

    interrupt_on_every_signal()
    for name in ("aiokafka", "asyncio"):  # what an interruption breaks off
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        screenshots(lambda line: print(line, flush=True))  # noqa: T201 - for the person who starts it
    except LocalError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
