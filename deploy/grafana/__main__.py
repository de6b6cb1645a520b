"""Write the dashboards' JSON from the code, for Grafana's file provisioning and for import by hand."""

import argparse
import sys

from deploy.grafana.files import FOLDER, out_of_date, write


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.grafana", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; list the files that are out of date, and exit with 1"
    )
    if parser.parse_args().check:
        if names := out_of_date():
            sys.exit(f"{FOLDER} is out of date: {', '.join(names)}. Run `make contracts`.")
        return
    write()
    print(f"Wrote {FOLDER}")  # noqa: T201 - a program


if __name__ == "__main__":
    main()
