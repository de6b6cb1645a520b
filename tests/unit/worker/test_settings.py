"""The worker's settings: where they come from, and one line for each that is wrong."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.worker.settings import WorkerSettings

KEY = "a secret key of at least 32 letters"
URI = "mongodb://reader:hunter2@127.0.0.1/"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in os.environ:
        if name.startswith("CALLFOLD_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALLFOLD_SECRETS_DIR", str(tmp_path))
    return iter([None])


def error_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **variables: str) -> list[str]:
    """Return the error lines of the worker with these variables."""
    for name, value in ({"log_id_hmac_key": KEY} | variables).items():
        monkeypatch.setenv(f"CALLFOLD_{name.upper()}", value)
    with pytest.raises(SystemExit) as refused:
        WorkerSettings.load()
    assert refused.value.code == 2
    return capsys.readouterr().err.splitlines()


def test_the_log_id_hmac_key_is_all_that_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLFOLD_LOG_ID_HMAC_KEY", KEY)

    settings = WorkerSettings.load()

    assert (settings.partitions, settings.batch_events, settings.mongo_driver) == (12, 20_000, "motor")
    assert settings.log_id_hmac_key.get_secret_value() == KEY


def test_a_missing_log_id_hmac_key_is_named_with_its_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        WorkerSettings.load()

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("CALLFOLD_LOG_ID_HMAC_KEY is not set: ")
    assert "the same for all workers" in line


@pytest.mark.parametrize(
    ("name", "value", "needs"),
    [
        ("batch_events", "0", "greater than or equal to 1"),
        ("batch_events", "many", "integer"),
        ("metrics_port", "70000", "less than or equal to 65535"),
        ("lease_seconds", "0", "greater than or equal to 1"),
        ("session_seconds", "301", "less than or equal to 300"),
        ("mongo_driver", "sync", "'motor' or 'pymongo'"),
        ("log_level", "verbose", "'debug', 'info', 'warning' or 'error'"),
        ("topic_prefix", "with space", "pattern"),
        ("kafka_bootstrap", "", "`host:port`"),
        ("kafka_bootstrap", "127.0.0.1:notaport", "`host:port`"),
    ],
)
def test_a_wrong_setting_is_one_line_with_its_name_its_value_and_what_it_must_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, needs: str
) -> None:
    (line,) = error_lines(monkeypatch, capsys, **{name: value})

    assert line.startswith(f"CALLFOLD_{name.upper()} is {value!r}: ")
    assert needs in line
    assert line.endswith(")")  # its description


def test_every_wrong_setting_has_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = error_lines(monkeypatch, capsys, partitions="-1", poll_seconds="soon")

    assert [line.split()[0] for line in lines] == ["CALLFOLD_PARTITIONS", "CALLFOLD_POLL_SECONDS"]


def test_a_wrong_secret_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = error_lines(monkeypatch, capsys, log_id_hmac_key="hunter2")

    assert line.startswith("CALLFOLD_LOG_ID_HMAC_KEY is wrong: ")
    assert "32" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("show", [repr, str, lambda settings: settings.model_dump_json(), vars])
def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch, show: Any) -> None:
    monkeypatch.setenv("CALLFOLD_LOG_ID_HMAC_KEY", KEY)
    monkeypatch.setenv("CALLFOLD_MONGO_URI", URI)

    shown = str(show(WorkerSettings.load()))

    assert "hunter2" not in shown
    assert KEY not in shown


def test_secrets_may_be_in_files(tmp_path: Path) -> None:
    (tmp_path / "callfold_log_id_hmac_key").write_text(KEY + "\n")
    (tmp_path / "callfold_mongo_uri").write_text(URI)

    settings = WorkerSettings.load()

    assert settings.log_id_hmac_key.get_secret_value() == KEY
    assert settings.mongo_uri.get_secret_value() == URI
