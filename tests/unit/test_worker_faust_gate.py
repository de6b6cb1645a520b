"""The refusal to start with a Faust that the tests were not run with."""

from pathlib import Path

import faust.streams
import pytest

from services.worker import faust_gate

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def test_the_faust_that_is_installed_is_the_one_that_was_tested() -> None:
    faust_gate.check()


@pytest.mark.parametrize("package", faust_gate.TESTED)
def test_another_version_is_refused_by_name(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(faust_gate.TESTED, package, ("0.0.1",))

    with pytest.raises(faust_gate.UntestedFaust, match=rf"^{package} \S+ is not one .* tested with: 0\.0\.1$"):
        faust_gate.check()


def test_a_faust_without_its_compiled_iterator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faust.streams, "_CStreamIterator", None)

    with pytest.raises(faust_gate.UntestedFaust, match="NO_CYTHON"):
        faust_gate.check()


def test_what_was_tested_is_what_the_constraints_pin() -> None:
    pinned = dict(line.split("==", 1) for line in CONSTRAINTS.read_text().splitlines() if "==" in line)

    assert {package: (pinned[package],) for package in faust_gate.TESTED} == faust_gate.TESTED
