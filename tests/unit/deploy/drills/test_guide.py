"""What a person is told: everything before, nothing of the fault during a drill."""

import sys
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

    assert f"{Path(sys.executable).parent}/callfold --env {stack.dotenv} lag" in text
    assert all(address in text for address in (str(stack.supervision.logs), "http://127.0.0.1:6067", "127.0.0.1:9092"))
    assert not [name for name in DRILLS if name in text]
    assert not [cause for cause in Cause if cause in text.split()]
