"""What the machine must have, checked before anything is downloaded: `python -m deploy.local.prerequisites`.

It runs on Python's own library alone: no package is installed yet.
"""

import sys

from deploy.local.errors import LocalError
from deploy.local.servers.install import find_tools, is_installed
from deploy.local.servers.java import find_java


def main() -> None:
    """Print what is missing, one line, and exit with 1 if anything is."""
    try:
        if is_installed():
            find_java()
        else:
            find_tools()
    except LocalError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a program
        sys.exit(1)


if __name__ == "__main__":
    main()
