"""Each drill on real servers: verdict, cause and alert are right, soon there, and over when the fault is."""

from collections.abc import Iterator

import pytest

from deploy.drills.catalogue import DRILLS
from deploy.drills.rehearsal import rehearse, watch_of
from deploy.drills.scene import Scene, scene
from deploy.local.servers.install import install
from tests.support.eventually import scaled

pytestmark = pytest.mark.timeout(600)

_PATIENCE = 3
"""Other tests have the machine too: three times the time of a stack alone."""


@pytest.fixture(scope="module")
def on() -> Iterator[Scene]:
    """Return the one stack of all drills: to start it takes longer than a drill."""
    install(print)
    with scene(print) as made:
        yield made


@pytest.mark.parametrize("name", DRILLS)
def test_a_fault_is_seen_with_its_cause_and_its_alert_and_is_over_by_itself(on: Scene, name: str) -> None:
    drill = DRILLS[name]

    with watch_of(on) as watch:
        rehearsal = rehearse(on, watch, drill, print, patience=scaled(_PATIENCE))

    assert rehearsal.detection.complete, "\n".join(rehearsal.detection.seen)
    assert rehearsal.after.calm(drill.passing), rehearsal.after
