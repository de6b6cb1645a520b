"""What the README says of settings and commands is so."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.local.ports import Ports, variable
from services.api.settings import ApiSettings
from services.ops.app import create_app
from services.ops.settings import KeySettings
from services.worker.settings import WorkerSettings
from shared.config.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROGRAMS: tuple[type[Settings], ...] = (WorkerSettings, ApiSettings, KeySettings)


def known() -> set[str]:
    fields = {f"{PREFIX}{name.upper()}" for program in PROGRAMS for name in program.model_fields}
    return fields | {variable(name) for name, _ in Ports().named()} | {f"{PREFIX}SECRETS_DIR"}


def test_every_variable_it_names_is_one() -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", README))

    assert named <= known()


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_required_setting_is_in_it(program: type[Settings]) -> None:
    required = [f"`{PREFIX}{name.upper()}`" for name, field in program.model_fields.items() if field.is_required()]

    assert [name for name in required if name not in README] == []


def test_every_default_it_gives_is_the_one() -> None:
    rows = re.findall(r"^\| `(CALLFOLD_\w+)` \| `([^`]+)` \|", README, re.MULTILINE)
    defaults = {
        f"{PREFIX}{name.upper()}": field.get_default()
        for program in PROGRAMS
        for name, field in program.model_fields.items()
    }

    given = {name: default for name, default in rows if name in defaults and "URI" not in name}

    assert given
    assert {name: float(value) if value.isdigit() else value for name, value in given.items()} == {
        name: float(defaults[name]) if isinstance(defaults[name], int | float) else defaults[name] for name in given
    }


def test_every_command_it_names_is_one() -> None:
    named = set(re.findall(r"callfold (?:([a-z-]+) )?", README)) - {""}
    shown = CliRunner().invoke(create_app(), ["--help"]).output

    assert {"publish", "validate", "get", "lag", "keys"} <= named
    assert [name for name in named if f" {name} " not in shown] == []


def test_every_file_it_points_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", README) + re.findall(
        r"`((?:shared|deploy|docs|examples)/[\w./-]+)`", README
    )

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
