"""`python -m services.console` as a process, without any server that it could ask."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import orjson
import pytest

from deploy.local.credentials.console_account import ACCOUNTS, NAME, PASSWORD, make_console_account
from deploy.local.ports import HOST, free_port
from tests.support.eventually import eventually_blocking, scaled

PROGRAM = [sys.executable, "-m", "services.console"]


def environment(port: int, **variables: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CALLFOLD_")}
    return clean | {
        "CALLFOLD_CONSOLE_PORT": str(port),
        "CALLFOLD_CONSOLE_MONITOR": f"http://{HOST}:{free_port()}",
        "CALLFOLD_CONSOLE_PROMETHEUS": f"http://{HOST}:{free_port()}",
        "CALLFOLD_CONSOLE_TIMEOUT_MS": "1000",
        "CALLFOLD_KAFKA_BOOTSTRAP": f"{HOST}:{free_port()}",
        "CALLFOLD_MONGO_URI": f"mongodb://{HOST}:{free_port()}/?replicaSet=rs",
        "CALLFOLD_SECRETS_DIR": "/nowhere",
        **variables,
    }


def test_without_any_server_each_page_says_which_is_away_until_a_signal_stops_it(tmp_path: Path) -> None:
    make_console_account(tmp_path)
    password = (tmp_path / PASSWORD).read_text()
    port = free_port()
    given = environment(port, CALLFOLD_CONSOLE_ACCOUNTS=str(tmp_path / ACCOUNTS))
    with subprocess.Popen(PROGRAM, env=given, stderr=subprocess.PIPE, text=True) as process:
        try:
            with httpx.Client(base_url=f"http://{HOST}:{port}", timeout=scaled(60), trust_env=False) as client:
                eventually_blocking(lambda: ready(client))
                assert client.post("/login", data={"name": NAME, "password": password}).status_code == 303
                paths = ("/", "/lag", "/dead-letters", "/calls/org-789/call-456")
                pages = {path: client.get(path).text for path in paths}
            process.send_signal(signal.SIGTERM)
            _, written = process.communicate(timeout=scaled(60))
        finally:
            process.kill()

    assert "The monitor at http://127.0.0.1" in pages["/"]
    assert "Prometheus at http://127.0.0.1" in pages["/"]
    assert "The monitor at http://127.0.0.1" in pages["/lag"]
    assert "Kafka" in pages["/dead-letters"]
    assert "MongoDB does not answer" in pages["/calls/org-789/call-456"]
    assert all("Log out" in page for page in pages.values())
    assert process.returncode == 0
    events = [orjson.loads(line)["event"] for line in written.splitlines()]
    assert {"login", "call_opened"} <= set(events)
    assert password not in written


def ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]

        ended = subprocess.run(
            PROGRAM, env=environment(port), capture_output=True, text=True, timeout=scaled(60), check=False
        )

    assert (ended.returncode, ended.stderr) == (
        1,
        f"cannot listen on {HOST}:{port} (CALLFOLD_CONSOLE_HOST, CALLFOLD_CONSOLE_PORT): Address already in use\n",
    )


@pytest.mark.parametrize("text", ["[ann", '[ann]\nrole = "viewer"\npassword = "plain"\n'])
def test_accounts_that_cannot_be_read_are_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(text)

    ended = subprocess.run(
        PROGRAM,
        env=environment(free_port(), CALLFOLD_CONSOLE_ACCOUNTS=str(file)),
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"CALLFOLD_CONSOLE_ACCOUNTS, {file}: ")
    assert ended.stderr.count("\n") == 1
