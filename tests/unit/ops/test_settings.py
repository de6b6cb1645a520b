"""The command's settings: the environment, then the file of the local stack, then the files of secrets."""

from pathlib import Path

import pytest

from services.ops.settings import KeySettings, OpsSettings

PEPPER = "p" * 32


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA_BOOTSTRAP", "MONGO_URI", "SECRETS_DIR", "API_SECRET_PEPPER"):
        monkeypatch.delenv(f"CALLFOLD_{name}", raising=False)
    (tmp_path / ".local").mkdir()
    return tmp_path


def local_stack(folder: Path, **variables: object) -> None:
    lines = [f"CALLFOLD_{name}='{value}'\n" for name, value in variables.items()]
    (folder / ".local/callfold.env").write_text("".join(lines))


def test_without_anything_the_usual_addresses_hold() -> None:
    assert OpsSettings.load().kafka_bootstrap == "127.0.0.1:9092"


def test_the_file_of_the_local_stack_is_read(folder: Path) -> None:
    local_stack(folder, KAFKA_BOOTSTRAP="127.0.0.1:29092", API_URL="http://127.0.0.1:8080")

    assert OpsSettings.load().kafka_bootstrap == "127.0.0.1:29092"


def test_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local_stack(folder, KAFKA_BOOTSTRAP="127.0.0.1:29092")
    monkeypatch.setenv("CALLFOLD_KAFKA_BOOTSTRAP", "kafka:9092,[::1]:9092")

    assert OpsSettings.load().kafka_bootstrap == "kafka:9092,[::1]:9092"


def test_the_folder_of_secrets_may_stand_in_that_file_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, pepper in (("there", PEPPER), ("elsewhere", "q" * 32)):
        (folder / place).mkdir()
        (folder / place / "callfold_api_secret_pepper").write_text(f"{pepper}\n")
    local_stack(folder, SECRETS_DIR=folder / "there")

    from_the_file = KeySettings.load().api_secret_pepper.get_secret_value()
    monkeypatch.setenv("CALLFOLD_SECRETS_DIR", str(folder / "elsewhere"))
    from_the_environment = KeySettings.load().api_secret_pepper.get_secret_value()

    assert from_the_file == PEPPER
    assert from_the_environment == "q" * 32


def test_only_making_a_key_needs_the_pepper(capsys: pytest.CaptureFixture[str]) -> None:
    OpsSettings.load()

    with pytest.raises(SystemExit, match="2"):
        KeySettings.load()

    assert capsys.readouterr().err.startswith("CALLFOLD_API_SECRET_PEPPER is not set")


def test_a_short_pepper_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CALLFOLD_API_SECRET_PEPPER", "too-short")

    with pytest.raises(SystemExit, match="2"):
        KeySettings.load()

    error = capsys.readouterr().err
    assert error.startswith("CALLFOLD_API_SECRET_PEPPER is wrong")
    assert "too-short" not in error


@pytest.mark.parametrize("brokers", ["kafka:port", "kafka:0", "kafka:65536", "a b:9092", "kafka:9092,", ":9092"])
def test_what_names_no_broker_is_refused(
    brokers: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CALLFOLD_KAFKA_BOOTSTRAP", brokers)

    with pytest.raises(SystemExit, match="2"):
        OpsSettings.load()

    assert capsys.readouterr().err.startswith(f"CALLFOLD_KAFKA_BOOTSTRAP is '{brokers}': must be `host:port`")


def test_a_file_that_is_no_text_is_said_in_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".local/callfold.env").write_bytes(b"\xff\xfe")

    with pytest.raises(SystemExit):
        OpsSettings.load()

    assert capsys.readouterr().err == "A file of settings or secrets is not UTF-8: save it as UTF-8\n"
