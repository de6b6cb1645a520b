"""The worker starts with supported versions of Faust only."""

from pathlib import Path

import faust.streams
import pytest

from services.worker.consumer import supported_versions

CONSTRAINTS = Path(__file__).parents[4] / "constraints.txt"


def test_the_installed_faust_is_supported() -> None:
    supported_versions.check()


@pytest.mark.parametrize("package", supported_versions.TESTED)
def test_another_version_is_rejected_by_name(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(supported_versions.TESTED, package, ("0.0.1",))

    with pytest.raises(
        supported_versions.UnsupportedFaust, match=rf"^{package} \S+ is not supported: install 0\.0\.1$"
    ):
        supported_versions.check()


def test_a_faust_without_its_compiled_iterator_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faust.streams, "_CStreamIterator", None)

    with pytest.raises(supported_versions.UnsupportedFaust, match="NO_CYTHON"):
        supported_versions.check()


def test_the_constraints_pin_the_supported_versions() -> None:
    pinned = dict(line.split("==", 1) for line in CONSTRAINTS.read_text().splitlines() if "==" in line)

    assert {package: (pinned[package],) for package in supported_versions.TESTED} == supported_versions.TESTED
