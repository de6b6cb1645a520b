"""`python -m services.api` as a process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from deploy.local.local_client import local_client
from deploy.local.ports import HOST
from tests.support.api.client import PEPPER
from tests.support.eventually import eventually_blocking, scaled

START_SECONDS = scaled(60.0)


def environment(**changes: str | None) -> dict[str, str]:
    """Return the environment with these `CALLFOLD_` variables alone."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CALLFOLD_")}
    # Which of the successful requests are logged is chance, so none is unless a test asks for it.
    given = {"API_SECRET_PEPPER": PEPPER, "SECRETS_DIR": "/nowhere", "API_ACCESS_LOG": "0", **changes}
    return clean | {f"CALLFOLD_{name}": value for name, value in given.items() if value is not None}


def run(*arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run the program, which must exit by itself."""
    command = [sys.executable, "-m", "services.api", *arguments]
    return subprocess.run(
        command, env=environment(**changes), capture_output=True, text=True, timeout=START_SECONDS, check=False
    )


@contextmanager
def running(port: int, **changes: str | None) -> Iterator[subprocess.Popen[str]]:
    """Run the program, alive when the context begins, killed when it ends."""
    command = [sys.executable, "-m", "services.api"]
    settings = environment(API_PORT=str(port), **changes)
    with subprocess.Popen(command, env=settings, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until_alive(port)
            yield process
        finally:
            process.kill()


def wait_until_alive(port: int) -> None:
    """Return when the program answers."""
    eventually_blocking(lambda: _answers(port))


def _answers(port: int) -> bool:
    try:
        local_client().get(f"http://{HOST}:{port}/healthz").raise_for_status()
    except httpx.TransportError:
        return False
    return True
