"""Generate docs/contracts from the models: the JSON Schema of each event type, and the AsyncAPI document."""

import argparse
import sys

from deploy.contracts.files import FOLDER, differences, write


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.contracts", description=__doc__)
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; list the files that are out of date, and exit with 1 if there are any",
    )
    if parser.parse_args().check:
        if found := differences():
            advice = f"{FOLDER} is out of date: run `make contracts`."
            sys.exit("\n".join([*found, advice]))
        return
    write()
    print(f"Wrote {FOLDER}")  # noqa: T201 - a program


if __name__ == "__main__":
    main()
