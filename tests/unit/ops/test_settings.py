"""The command's settings: the environment, then the file of the local stack, then the files of secrets."""

from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner
from motor.core import AgnosticCollection
from pymongo.asynchronous.collection import AsyncCollection

from services.ops.__main__ import connect
from services.ops.app import create_app
from services.ops.program import Program
from services.ops.settings import KAFKA, MONGO, KeySettings, OpsSettings, load

PEPPER = "p" * 32


def _none(_: OpsSettings) -> NoReturn:
    """Open no database: these tests use none."""
    raise AssertionError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA_BOOTSTRAP", "MONGO_URI", "MONGO_DRIVER", "SECRETS_DIR", "API_SECRET_PEPPER"):
        monkeypatch.delenv(f"CALLFOLD_{name}", raising=False)
    (tmp_path / ".local").mkdir()
    return tmp_path


def local_stack(folder: Path, **variables: object) -> None:
    lines = [f"CALLFOLD_{name}='{value}'\n" for name, value in variables.items()]
    (folder / ".local/callfold.env").write_text("".join(lines))


def test_the_defaults_are_the_usual_addresses() -> None:
    assert OpsSettings.load().kafka_bootstrap == "127.0.0.1:9092"


def test_the_file_of_the_local_stack_is_read(folder: Path) -> None:
    local_stack(folder, KAFKA_BOOTSTRAP="127.0.0.1:29092", API_URL="http://127.0.0.1:8080")

    assert OpsSettings.load().kafka_bootstrap == "127.0.0.1:29092"


def test_the_environment_overrides_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local_stack(folder, KAFKA_BOOTSTRAP="127.0.0.1:29092")
    monkeypatch.setenv("CALLFOLD_KAFKA_BOOTSTRAP", "kafka:9092,[::1]:9092")

    assert OpsSettings.load().kafka_bootstrap == "kafka:9092,[::1]:9092"


@pytest.mark.parametrize(
    ("driver", "collection"), [(None, AgnosticCollection), ("motor", AgnosticCollection), ("pymongo", AsyncCollection)]
)
async def test_the_command_uses_the_driver_that_is_set(
    driver: str | None, collection: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    if driver:
        monkeypatch.setenv("CALLFOLD_MONGO_DRIVER", driver)

    connection = connect(OpsSettings.load())

    assert isinstance(connection.collection("calls"), collection)
    await connection.close()


def test_a_file_of_settings_is_read_in_place_of_that_of_the_local_stack(folder: Path) -> None:
    local_stack(folder, KAFKA_BOOTSTRAP="127.0.0.1:29092", TOPIC_PREFIX="local")
    (folder / "other.env").write_text("CALLFOLD_KAFKA_BOOTSTRAP=kafka:9092\nOTHER=1\n")

    settings = load(Program(_none, folder / "other.env"), kind=OpsSettings)

    assert (settings.kafka_bootstrap, settings.topic_prefix) == ("kafka:9092", "calls")


def test_the_command_line_names_the_file_of_settings(folder: Path) -> None:
    (folder / "other.env").write_text("CALLFOLD_KAFKA_BOOTSTRAP=127.0.0.1:1\n")

    done = CliRunner().invoke(create_app(), ["--env", "other.env", "lag"])

    assert "127.0.0.1:1" in str(done.exception)
    assert done.stderr == ""


def test_addresses_that_nobody_has_set_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    load(Program(_none), KAFKA, MONGO, kind=OpsSettings)

    assert capsys.readouterr().err == (
        "callfold: using Kafka at 127.0.0.1:9092 (CALLFOLD_KAFKA_BOOTSTRAP is not set) and MongoDB at "
        "127.0.0.1:27017 (CALLFOLD_MONGO_URI is not set); --env FILE names a file of settings\n"
    )


def test_only_servers_that_the_command_uses_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CALLFOLD_MONGO_URI", "mongodb://user:s3cret@mongo")

    load(Program(_none), MONGO, kind=OpsSettings)

    assert capsys.readouterr() == ("", "")


def test_the_file_may_name_the_folder_of_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, pepper in (("there", PEPPER), ("elsewhere", "q" * 32)):
        (folder / place).mkdir()
        (folder / place / "callfold_api_secret_pepper").write_text(f"{pepper}\n")
    local_stack(folder, SECRETS_DIR=folder / "there")

    from_the_file = KeySettings.load().api_secret_pepper.get_secret_value()
    monkeypatch.setenv("CALLFOLD_SECRETS_DIR", str(folder / "elsewhere"))
    from_the_environment = KeySettings.load().api_secret_pepper.get_secret_value()

    assert from_the_file == PEPPER
    assert from_the_environment == "q" * 32


def test_only_creating_a_key_needs_the_pepper(capsys: pytest.CaptureFixture[str]) -> None:
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
def test_an_invalid_broker_is_refused(
    brokers: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CALLFOLD_KAFKA_BOOTSTRAP", brokers)

    with pytest.raises(SystemExit, match="2"):
        OpsSettings.load()

    assert capsys.readouterr().err.startswith(f"CALLFOLD_KAFKA_BOOTSTRAP is '{brokers}': must be `host:port`")


def test_a_file_that_is_not_text_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".local/callfold.env").write_bytes(b"\xff\xfe")

    with pytest.raises(SystemExit):
        OpsSettings.load()

    assert capsys.readouterr().err == "A file of settings or secrets is not UTF-8: save it as UTF-8\n"
