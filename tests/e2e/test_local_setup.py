"""What the stack says when something on the machine is in its way; nothing is started here."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.errors import LocalError, NotReadyError
from deploy.local.ports import HOST, Ports, ephemeral_ports, free_port
from deploy.local.servers.install import STAMP, install, is_installed
from deploy.local.servers.kafka import KafkaServer
from deploy.local.servers.mongod import MongoServer
from tests.support.servers.local_stack import Machine

ROOT = Path(__file__).parents[2]
CHECK = "import sys; sys.path.insert(0, '.'); from deploy.local.prerequisites import main; main()"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, tmp_path / "state", Ports.free())


@pytest.mark.parametrize("name", ["kafka", "mongo", "api", "metrics"])
def test_a_taken_port_is_named_with_the_variable_that_moves_it(machine: Machine, name: str) -> None:
    with socket.create_server((HOST, dict(machine.ports.named())[name])):
        said = machine.run("up", status=1)

    assert f"is taken: stop what listens there, or set CALLFOLD_{name.upper()}_PORT" in said
    assert machine.processes() == []


def test_a_port_that_is_none_is_named_with_its_variable(machine: Machine) -> None:
    machine.variables = {"CALLFOLD_API_PORT": "http"}

    said = machine.run("up", status=1)

    assert said == "CALLFOLD_API_PORT is 'http': a port is a number from 1 to 65535.\n"


def test_a_port_that_connections_may_take_is_named_with_those_that_they_do_not(
    machine: Machine, tmp_path: Path
) -> None:
    ephemeral = ephemeral_ports()
    machine.variables = {"CALLFOLD_API_PORT": str(ephemeral[-1]), "PATH": str(tmp_path), "JAVA_HOME": ""}

    warning, error = machine.run("up", status=1).splitlines()

    assert warning.startswith(f"CALLFOLD_API_PORT is {ephemeral[-1]}: ")
    assert warning.endswith(f"Ports below {ephemeral.start} are safe.")
    assert error.startswith("There is no java")


def test_a_state_folder_that_cannot_be_written_is_named_in_one_line(machine: Machine) -> None:
    machine.state = Path("/proc/callfold/state")  # nobody may write there, root included

    said = machine.run("up", status=1)

    assert said.startswith("/proc/callfold")
    assert said.endswith(" cannot be used: No such file or directory.\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("kind", [KafkaServer, MongoServer])
def test_a_server_whose_port_is_taken_while_it_starts_is_reported_in_one_line(
    kind: type[KafkaServer | MongoServer], tmp_path: Path
) -> None:
    install(print)
    port = free_port()

    with socket.create_server((HOST, port)), pytest.raises(NotReadyError) as raised:
        kind(tmp_path, port).__enter__()

    assert str(raised.value).startswith(f"{kind.name} cannot listen, its port is taken: stop what listens there")
    assert "\n" not in str(raised.value)


def test_java_is_asked_for_before_any_package_is_installed(tmp_path: Path) -> None:
    done = check_prerequisites(tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("There is no java on the PATH. Kafka needs Java 17 or newer")


def test_maven_is_asked_for_before_any_package_is_installed(tmp_path: Path) -> None:
    script(tmp_path / "java", "echo 'openjdk version \"17.0.15\"' >&2")

    done = check_prerequisites(tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("There is no mvn on the PATH. Install Maven, which downloads Kafka")


def test_a_missing_java_is_named_with_the_way_to_get_it(machine: Machine, tmp_path: Path) -> None:
    machine.variables = {"PATH": str(tmp_path), "JAVA_HOME": ""}

    said = machine.run("up", status=1)

    assert said.startswith("There is no java on the PATH. Kafka needs Java 17 or newer")
    assert said.count("\n") == 1


def test_an_old_java_is_named_with_its_version(machine: Machine, tmp_path: Path) -> None:
    script(tmp_path / "java", "echo 'openjdk version \"1.8.0_292\"' >&2")
    machine.variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "JAVA_HOME": ""}

    said = machine.run("up", status=1)

    assert f"{tmp_path}/java is Java 8, which is too old" in said


def test_a_missing_maven_is_named_with_the_way_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "java", "echo 'openjdk version \"17.0.15\"' >&2")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(LocalError, match=r"no mvn on the PATH.*apt install maven"):
        install(print, tmp_path / "libs")


def test_half_a_download_does_not_count_as_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libs = tmp_path / "libs"
    put_maven_on_path(tmp_path, monkeypatch, exit_status=1)

    with pytest.raises(LocalError, match="could not download"):
        install(print, libs)

    assert not is_installed(libs)
    assert not libs.exists()


def test_jars_of_another_pom_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libs = tmp_path / "libs"
    put_maven_on_path(tmp_path, monkeypatch, exit_status=0)
    libs.mkdir()
    (libs / STAMP).write_text("the digest of another pom")
    (libs / "kafka_2.12.jar").touch()
    assert not is_installed(libs)

    install(print, libs)

    assert is_installed(libs)
    assert [jar.name for jar in libs.glob("*.jar")] == ["kafka_2.13.jar"]


def test_jars_are_those_of_the_pom_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libs = tmp_path / "libs"
    put_maven_on_path(tmp_path, monkeypatch, exit_status=0)
    pom = tmp_path / "pom.xml"
    pom.write_text("<project/>")

    install(print, libs, pom=pom, what="another program")

    assert is_installed(libs, pom)
    assert not is_installed(libs)


def check_prerequisites(path: Path) -> "subprocess.CompletedProcess[str]":
    """Run the check in a new checkout, with Python's own library alone."""
    shutil.copytree(ROOT / "deploy", path / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    program = [sys.executable, "-I", "-S", "-c", CHECK]
    environment = {"PATH": str(path), "JAVA_HOME": ""}
    return subprocess.run(program, env=environment, cwd=path, capture_output=True, text=True, check=False)


def put_maven_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, exit_status: int) -> None:
    into = '"${last#*=}"'
    script(folder / "mvn", f"for last; do :; done; mkdir {into}; touch {into}/kafka_2.13.jar; exit {exit_status}")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
