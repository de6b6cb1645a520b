from pathlib import Path

import pytest
from click.testing import CliRunner

from services.console.access.accounts import Account, Role, load
from services.ops.app import create_app
from shared.config.toml_file import InvalidConfigFile
from tests.support.console.client import PASSWORD, accounts

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"


def test_an_account_is_found_by_its_name_and_password() -> None:
    assert accounts().find("support", PASSWORD) == Account("support", Role.SUPPORT)


@pytest.mark.parametrize(
    ("name", "password"),
    [("support", "wrong"), ("support", ""), ("nobody", PASSWORD), ("", ""), ("support", PASSWORD + "x" * 2_000)],
)
def test_a_wrong_name_or_password_finds_none(name: str, password: str) -> None:
    assert accounts().find(name, password) is None


def test_a_role_includes_those_before_it() -> None:
    included = {role: [other for other in Role if role.includes(other)] for role in Role}

    assert included == {
        Role.VIEWER: [Role.VIEWER],
        Role.SUPPORT: [Role.VIEWER, Role.SUPPORT],
        Role.OPERATOR: [Role.VIEWER, Role.SUPPORT, Role.OPERATOR],
    }


def test_the_command_makes_what_the_console_reads(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    made = CliRunner().invoke(create_app(), ["accounts", "hash", "ann@x.org", "--role", "support"], input="hunter-22\n")
    file.write_text(made.stdout)

    loaded = load(file)

    assert "hunter-22" not in made.output
    assert loaded.find("ann@x.org", "hunter-22") == Account("ann@x.org", Role.SUPPORT)
    assert loaded.find("ann@x.org", "hunter-23") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f'[ann]\npassword = "{HASH}"\n', "role"),
        (f'[ann]\nrole = "admin"\npassword = "{HASH}"\n', "viewer"),
        ('[ann]\nrole = "viewer"\npassword = "plain"\n', "callfold accounts hash"),
        (f'["a b"]\nrole = "viewer"\npassword = "{HASH}"\n', "a b"),
        ("[ann", "is not TOML"),
    ],
)
def test_a_file_that_is_wrong_is_refused_without_what_it_holds(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(text)

    with pytest.raises(InvalidConfigFile) as error:
        load(file)

    assert problem in str(error.value)
    assert "plain" not in str(error.value)
    assert HASH not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigFile, match=r"CALLFOLD_CONSOLE_ACCOUNTS, .*accounts\.toml: cannot be read"):
        load(tmp_path / "accounts.toml")


def test_without_a_file_nobody_can_log_in() -> None:
    assert load(None).find("operator", PASSWORD) is None
