"""The settings of the canary."""

from typing import Any

import pytest

from services.monitor.canary.settings import CanarySettings
from shared.config.settings import Settings

KEY: Any = {"monitor_canary_api_key": "cf_1", "monitor_canary_api_secret": "a secret"}


class CanaryAlone(CanarySettings, Settings):
    """The program's settings, with those of the canary."""


def test_the_canary_is_off_and_needs_no_key_then() -> None:
    settings = CanaryAlone.load()

    assert not settings.monitor_canary
    assert settings.monitor_canary_organization == "callfold-canary"


def test_a_canary_without_a_key_cannot_start(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        CanaryAlone.load(monitor_canary=True, monitor_canary_api_secret="a secret")  # noqa: S106 - none

    said = capsys.readouterr().err
    assert "CALLFOLD_MONITOR_CANARY_API_KEY is not set: is required with CALLFOLD_MONITOR_CANARY" in said
    assert "a secret" not in said


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://host", "http://user:password@host", "http://host?key=1"])
def test_an_address_that_is_no_address_is_rejected(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        CanaryAlone.load(monitor_canary=True, monitor_canary_api_url=url, **KEY)

    assert "CALLFOLD_MONITOR_CANARY_API_URL" in capsys.readouterr().err


def test_a_key_is_shown_nowhere() -> None:
    settings = CanaryAlone.load(monitor_canary=True, **KEY)

    assert "a secret" not in repr(settings)
