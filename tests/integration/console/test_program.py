"""`python -m services.console` as a process, without any server that it could ask."""

import signal
from pathlib import Path

import httpx
import orjson
import pytest

from deploy.local.credentials.console_account import ACCOUNTS, NAME, PASSWORD, make_console_account
from deploy.local.ports import HOST, free_port
from tests.support.eventually import eventually_blocking, scaled
from tests.support.service import ENDS_WITHIN, run, running, without_servers


def test_without_any_server_each_page_says_which_is_away_until_a_signal_stops_it(tmp_path: Path) -> None:
    make_console_account(tmp_path)
    password = (tmp_path / PASSWORD).read_text()
    port = free_port()
    settings = {
        "CONSOLE_PORT": str(port),
        "CONSOLE_ACCOUNTS": str(tmp_path / ACCOUNTS),
        "CONSOLE_MONITOR": f"http://{HOST}:1",
        "CONSOLE_PROMETHEUS": f"http://{HOST}:1",
        "CONSOLE_TIMEOUT_MS": "1000",
    }
    with running("console", **without_servers(), **settings) as process:
        with httpx.Client(base_url=f"http://{HOST}:{port}", timeout=scaled(60), trust_env=False) as client:
            eventually_blocking(lambda: ready(client))
            assert client.post("/login", data={"name": NAME, "password": password}).status_code == 303
            paths = ("/", "/lag", "/dead-letters", "/calls/org-789/call-456")
            pages = {path: client.get(path).text for path in paths}
        process.send_signal(signal.SIGTERM)
        _, written = process.communicate(timeout=ENDS_WITHIN)

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


@pytest.mark.parametrize("text", ["[ann", '[ann]\nrole = "viewer"\npassword = "plain"\n'])
def test_accounts_that_cannot_be_read_are_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(text)

    ended = run("console", **without_servers(), CONSOLE_ACCOUNTS=str(file))

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"CALLFOLD_CONSOLE_ACCOUNTS, {file}: ")
    assert ended.stderr.count("\n") == 1
