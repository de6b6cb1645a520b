"""What a person is told: everything before, nothing of the fault during a drill."""

from pathlib import Path

import pytest

from deploy.drills.catalogue import DRILLS
from deploy.drills.guide import guide, listing
from deploy.local.ports import Ports
from deploy.local.stack import Stack
from shared.lag.models import Cause


@pytest.mark.parametrize("name", DRILLS)
def test_each_fault_is_listed_with_what_it_is(name: str) -> None:
    lines = [line for line in listing() if f"FAULT={name} " in line]

    assert len(lines) == 1
    assert DRILLS[name].title in lines[0]


def test_the_guide_leads_to_everything_and_names_no_fault(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Ports())

    text = "\n".join(guide(stack))

    assert f"/callfold --env {stack.dotenv} lag" in text
    assert all(address in text for address in (str(stack.supervision.logs), "http://127.0.0.1:6067", "127.0.0.1:9092"))
    assert not [name for name in DRILLS if name in text]
    assert not [cause for cause in Cause if cause in text.split()]


def test_each_command_of_the_guide_is_a_program_of_this_environment(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Ports())

    commands = [line.split()[1] for line in guide(stack) if line.split()[0] in ("Commands", "Services")]

    assert [Path(command).name for command in commands] == ["callfold", "python"]
    assert all(Path(command).is_file() for command in commands)


def test_the_guide_names_the_ports_that_stand_in_place_of_those_of_the_pages(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Ports(metrics=16066, api=18080))

    (ports,) = (line for line in guide(stack) if line.split()[0] == "Ports")

    assert "16066 for 6066" in ports
    assert "18080 for 8080" in ports


def test_without_prometheus_the_guide_explains_how_to_get_it_and_what_is_left(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Ports(), prometheus=False)

    (line,) = (line for line in guide(stack) if line.split()[0] == "Prometheus")

    assert all(word in line for word in ("install", "callfold lag", "/metrics"))
