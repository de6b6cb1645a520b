"""The stack on one machine, with real servers; most tests let stand-ins play its services."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from dotenv import dotenv_values

from deploy.local import leftovers
from deploy.local.credentials.canary_key import KEY, SECRET
from deploy.local.ports import HOST, Ports, free_port
from deploy.local.servers.install import install
from deploy.local.servers.kafka import KafkaServer
from deploy.local.servers.mongod import MongoServer
from deploy.local.stack import Stack
from deploy.local.supervision import Supervision
from tests.support.eventually import eventually_blocking, scaled
from tests.support.servers.local_stack import (
    Machine,
    another_stack,
    create_topic,
    make_stand_ins,
    overwrite_slowly,
    publish,
    published,
    store,
    stored,
)


@pytest.fixture(scope="module", autouse=True)
def _jars() -> None:
    install(print)


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stand-ins")
    make_stand_ins(folder)
    return folder


@pytest.fixture
def machine(stand_ins: Path, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(stand_ins, tmp_path / "state", Ports.free())
    yield machine
    machine.run("down")


@pytest.fixture(scope="module")
def running(stand_ins: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    # Deeper than a unix socket's path may be long.
    state = tmp_path_factory.mktemp("running") / ("deep " * 20).strip() / "state"
    machine = Machine(stand_ins, state, Ports.free())
    machine.run("up")
    yield machine
    machine.run("down")


async def test_a_killed_broker_has_its_events_when_it_is_started_again(tmp_path: Path) -> None:
    with KafkaServer(tmp_path, free_port()) as server:
        await create_topic(server.port)
        await publish(server.port, b"kept")

        server.kill()
        server.start()
        server.wait_until_ready()

        assert await published(server.port) == b"kept"


def test_a_killed_mongod_has_its_documents_when_it_is_started_again(tmp_path: Path) -> None:
    with MongoServer(tmp_path, free_port()) as server:
        store(server.port, "kept")

        server.kill()
        server.start()
        server.wait_until_ready()

        assert stored(server.port) == ["kept"]


def test_up_prints_where_everything_is(running: Machine) -> None:
    said = running.run("up")

    assert "runs already" in said
    assert f"mongodb://{HOST}:{running.ports.mongo}/?replicaSet=rs" in said
    assert f"Kafka      {HOST}:{running.ports.kafka}" in said
    assert f"http://{HOST}:{running.ports.api}" in said
    assert f"Prometheus http://{HOST}:{running.ports.prometheus}" in said
    assert f"Console    http://{HOST}:{running.ports.console}" in said
    assert f"password is in {running.state / 'console' / 'password'}" in said


def test_a_second_up_changes_nothing(running: Machine) -> None:
    before = [process.pid for process in running.processes()]

    running.run("up")

    assert [process.pid for process in running.processes()] == before


def test_status_shows_a_line_for_each_service(running: Machine) -> None:
    lines = running.run("status").splitlines()

    assert [line.split()[:2] for line in lines] == [
        ["MongoDB", "running"],
        ["Kafka", "running"],
        ["API", "running"],
        ["Worker", "running"],
        ["Monitor", "running"],
        ["Console", "running"],
        ["Prometheus", "running"],
    ]


def test_the_settings_file_leads_to_the_stack(running: Machine) -> None:
    variables = dotenv_values(running.state / "callfold.env")

    assert variables == {
        "CALLFOLD_KAFKA_BOOTSTRAP": f"{HOST}:{running.ports.kafka}",
        "CALLFOLD_MONGO_URI": f"mongodb://{HOST}:{running.ports.mongo}/?replicaSet=rs",
        "CALLFOLD_SECRETS_DIR": str(running.state / "secrets"),
        "CALLFOLD_API_URL": f"http://{HOST}:{running.ports.api}",
    }


def test_secrets_are_in_files_for_their_owner_alone(running: Machine) -> None:
    files = sorted((running.state / "secrets").iterdir())

    shown = " ".join(str((process.cmdline(), process.environ())) for process in running.processes())

    assert [file.name for file in files] == ["callfold_api_secret_pepper", "callfold_log_id_hmac_key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert [len(bytes.fromhex(file.read_text())) for file in files] == [32, 32]
    assert not any(file.read_text() in shown for file in files)


def test_no_other_file_of_the_stack_holds_a_secret(running: Machine) -> None:
    secrets = [file.read_bytes() for file in (running.state / "secrets").iterdir()]
    folders = (running.state, Supervision(running.state.resolve()).runtime)

    holding = {path for folder in folders for path in readable_files(folder) if holds(path, secrets)}

    assert {path.parent for path in holding} == {running.state / "secrets"}
    assert stat.S_IMODE((running.state / "secrets").stat().st_mode) == 0o700


def test_settings_logs_and_data_are_for_their_owner_alone(running: Machine) -> None:
    names = ("callfold.env", "log", "mongod", "kafka", "prometheus")

    modes = {name: stat.S_IMODE((running.state / name).stat().st_mode) for name in names}

    assert {name for name, mode in modes.items() if mode & 0o077} == set()


def test_a_slow_write_is_not_quoted_in_the_log_of_mongodb(tmp_path: Path) -> None:
    with MongoServer(tmp_path, free_port()) as server:
        store(server.port, "call")

        overwrite_slowly(server.port, "call", "between us")

        assert stored(server.port) == ["call"]
        assert "between us" not in server.log.read_text()


def readable_files(folder: Path) -> Iterator[Path]:
    return (Path(root, name) for root, _, names in os.walk(folder) for name in names)


def holds(path: Path, contents: list[bytes]) -> bool:
    try:
        return path.is_file() and any(content in path.read_bytes() for content in contents)
    except OSError:  # removed meanwhile by its server
        return False


@pytest.mark.parametrize("title", ["Kafka", "MongoDB", "Worker", "Monitor"])
def test_a_killed_service_is_started_again(running: Machine, title: str) -> None:
    killed = running.pid(title)

    os.kill(killed, signal.SIGKILL)
    assert leftovers.wait_for_end(killed, timeout=scaled(30))

    running.run("up")
    assert running.pid(title) != killed


async def test_data_and_secrets_stay_when_the_ports_change(running: Machine) -> None:
    await publish(running.ports.kafka, b"kept")
    store(running.ports.mongo, "kept")
    secret = (running.state / "secrets" / "callfold_api_secret_pepper").read_text()

    running.run("down")
    running.ports = Ports.free()
    running.run("up")

    assert await published(running.ports.kafka) == b"kept"
    assert stored(running.ports.mongo) == ["kept"]
    assert (running.state / "secrets" / "callfold_api_secret_pepper").read_text() == secret


def test_what_a_killed_supervisord_left_behind_is_ended_and_nothing_else(running: Machine, tmp_path: Path) -> None:
    with another_stack(tmp_path) as stranger:
        supervisor = leftovers.supervisor(running.state)
        assert supervisor is not None

        supervisor.kill()
        assert leftovers.wait_for_end(supervisor.pid, timeout=scaled(30))
        said = running.run("status", status=3)
        orphans = [process.pid for process in running.processes()]
        running.run("up")

        assert len(orphans) == 7
        assert "left processes behind" in said
        assert not set(orphans) & {process.pid for process in running.processes()}
        assert stranger.poll() is None


def test_nothing_runs_after_down(running: Machine) -> None:
    said = running.run("down")

    assert said.splitlines() == [
        "Stopped prometheus",
        "Stopped console",
        "Stopped monitor",
        "Stopped worker",
        "Stopped api",
        "Stopped kafka",
        "Stopped mongod",
        "The stack is down",
    ]
    assert running.processes() == []
    assert running.run("status", status=3).count("not running") == 7
    assert running.run("down") == "Nothing was running\n"


def test_a_prometheus_that_cannot_start_is_reported_and_the_stack_runs_without_it(running: Machine) -> None:
    running.run("down")
    running.variables = {"FAILING": "prometheus"}

    said = running.run("up")

    assert "Prometheus ended while it was starting" in said
    assert "a rule is upside down" in said
    assert "The stack runs without Prometheus\nThe stack is up" in said
    assert running.run("status", status=3).count("running") == 6


def test_a_service_that_cannot_start_is_shown_with_its_log_and_nothing_is_left(machine: Machine) -> None:
    machine.variables = {"FAILING": "api"}

    said = machine.run("up", status=1)

    assert "API ended while it was starting" in said
    assert "the price book is upside down" in said
    assert f"The logs are in {machine.state}/log" in said
    assert machine.processes() == []


def test_ctrl_c_leaves_nothing_half_started(machine: Machine) -> None:
    with machine.start("up") as up:
        assert up.stdout is not None
        next(line for line in up.stdout if line.startswith("MongoDB is ready"))

        up.send_signal(signal.SIGINT)
        up.communicate()

    assert up.returncode != 0
    assert machine.processes() == []


def test_a_program_gets_the_real_services_ready_and_stopped_whatever_happens(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Ports.free())
    answers: list[int] = []

    with pytest.raises(ZeroDivisionError):
        start_ask_and_fail(stack, answers)

    assert answers == [httpx.codes.OK] * 4
    assert leftovers.processes(tmp_path.resolve()) == []
    keys = [tmp_path / "secrets" / name for name in (KEY, SECRET)]
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys} == {0o600}


def start_ask_and_fail(stack: Stack, answers: list[int]) -> None:
    with stack:
        stack.start()
        answers += [
            httpx.get(f"http://{HOST}:{port}/readyz").status_code
            for port in (stack.ports.api, stack.ports.metrics, stack.ports.monitor, stack.ports.console)
        ]
        # The canary has published, and read with the key that the stack made for it.
        eventually_blocking(lambda: canary_result(stack.ports.monitor) == "right")
        raise ZeroDivisionError


def canary_result(port: int) -> str | None:
    """Return what the last canary call that has a result counts as."""
    calls = httpx.get(f"http://{HOST}:{port}/canary").json()["calls"]
    return next((call["result"] for call in calls if call["result"]), None)
