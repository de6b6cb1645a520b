"""`callfold accounts`."""

import sys

import click
from argon2 import PasswordHasher

from services.ops.console import print_json, print_result
from services.ops.errors import USAGE, CommandError

LEAST_PASSWORD, MOST_PASSWORD = 8, 1_024


def print_account(name: str, role: str, *, json: bool) -> None:
    password = _password()
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise CommandError(f"the password must have {LEAST_PASSWORD} to {MOST_PASSWORD:,} characters", USAGE)
    hashed = PasswordHasher().hash(password)
    if json:
        print_json({"name": name, "role": role, "password": hashed})
        return
    for line in (f'["{name}"]', f'role = "{role}"', f'password = "{hashed}"'):
        print_result(line)


def _password() -> str:
    if sys.stdin is not None and sys.stdin.isatty():
        # Not on standard output, which is often a file.
        entered: str = click.prompt("Password", hide_input=True, confirmation_prompt="Again", err=True)
        return entered
    return "" if sys.stdin is None else sys.stdin.readline().rstrip("\r\n")
