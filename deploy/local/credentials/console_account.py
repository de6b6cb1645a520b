"""The account with which one logs in to the console of the local stack."""

import secrets
from pathlib import Path

from argon2 import PasswordHasher

from deploy.local.credentials.private_file import write_private

NAME = "operator"
ACCOUNTS, PASSWORD = "accounts.toml", "password"
"""Files of the console's folder: the accounts as the console reads them, and the password of this one."""


def make_console_account(folder: Path) -> None:
    """Create the account with a random password, unless there are accounts."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / ACCOUNTS).exists():
        return
    password = secrets.token_urlsafe(12)
    write_private(folder / PASSWORD, password)
    table = f'[{NAME}]\nrole = "operator"\npassword = "{PasswordHasher().hash(password)}"\n'
    write_private(folder / ACCOUNTS, table)
