"""`python -m deploy.contracts`: write the generated contracts; `--check`: say whether they are up to date."""

import argparse
import sys

from deploy.contracts.files import FOLDER, differences, write


def main() -> None:
    """Run the command; `--check` exits with 1 and a line for each file that differs."""
    parser = argparse.ArgumentParser(prog="python -m deploy.contracts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is out of date")
    if parser.parse_args().check:
        if found := differences():
            advice = f"{FOLDER} is out of date: run python -m deploy.contracts"
            sys.exit("\n".join([*found, advice]))
        return
    write()
    print(f"written to {FOLDER}")  # noqa: T201 - it is a program


if __name__ == "__main__":
    main()
