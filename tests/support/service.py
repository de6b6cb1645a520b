"""A service as a process: `python -m services.<name>`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.eventually import scaled

ENDS_WITHIN = scaled(60.0)


def without_servers() -> dict[str, str]:
    """Return the variables of a service whose MongoDB and Kafka do not answer: nothing listens on port 1."""
    return {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "MONGO_URI": "mongodb://127.0.0.1:1/?replicaSet=rs"}


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"services.{name}", *arguments]


def environment(**changes: str | None) -> dict[str, str]:
    """Return the environment with these `CALLFOLD_` variables alone."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CALLFOLD_")}
    given = {"SECRETS_DIR": "/nowhere", **changes}
    return clean | {f"CALLFOLD_{name}": value for name, value in given.items() if value is not None}


def run(name: str, *arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run a service that must exit by itself."""
    return subprocess.run(
        command(name, *arguments),
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        check=False,
    )


@contextmanager
def running(name: str, **changes: str | None) -> Iterator[subprocess.Popen[str]]:
    """Start a service, killed when the context ends."""
    with subprocess.Popen(command(name), env=environment(**changes), stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()
