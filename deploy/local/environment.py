"""Settings of the programs of the stack: addresses in their environment, secrets in files."""

import os
import secrets
from pathlib import Path

from deploy.local.credentials.console_account import ACCOUNTS
from deploy.local.credentials.private_file import write_private
from deploy.local.ports import HOST, Ports
from deploy.local.servers.mongod import REPLICA_SET

SECRETS = ("callfold_api_secret_pepper", "callfold_log_id_hmac_key")
"""Each file has the name of its variable in lower case."""


def make_secrets(folder: Path) -> None:
    """Create the missing secrets: 32 random bytes in hexadecimal, readable by the owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in SECRETS:
        if not (folder / name).exists():
            write_private(folder / name, secrets.token_hex(32))


def for_readers(ports: Ports, secrets_folder: Path) -> dict[str, str]:
    """Return the variables with which a program finds the stack."""
    return {
        "CALLFOLD_KAFKA_BOOTSTRAP": f"{HOST}:{ports.kafka}",
        "CALLFOLD_MONGO_URI": f"mongodb://{HOST}:{ports.mongo}/?replicaSet={REPLICA_SET}",
        "CALLFOLD_SECRETS_DIR": str(secrets_folder),
        "CALLFOLD_API_URL": f"http://{HOST}:{ports.api}",
    }


def for_services(ports: Ports, secrets_folder: Path, console: Path, *, watched: bool) -> dict[str, str]:
    """Return the whole environment of the API, the worker, the monitor and the console, which extends the caller's.

    `console` is the folder of the console's accounts; `watched`: Prometheus runs.
    """
    prometheus = {"CALLFOLD_CONSOLE_PROMETHEUS": f"http://{HOST}:{ports.prometheus}"} if watched else {}
    return {
        # No other worker takes over: the sooner the group drops a killed worker, the sooner a new one is assigned.
        "CALLFOLD_SESSION_SECONDS": "10",
        "CALLFOLD_MONITOR_CANARY": "true",
        "CALLFOLD_CONSOLE_ACCOUNTS": str(console / ACCOUNTS),
        **prometheus,
        **{name: value for name, value in os.environ.items() if name != "CALLFOLD_API_METRICS_PORT"},
        **for_readers(ports, secrets_folder),
        "CALLFOLD_API_HOST": HOST,
        "CALLFOLD_API_PORT": str(ports.api),
        "CALLFOLD_METRICS_HOST": HOST,
        "CALLFOLD_METRICS_PORT": str(ports.metrics),
        "CALLFOLD_MONITOR_HOST": HOST,
        "CALLFOLD_MONITOR_PORT": str(ports.monitor),
        "CALLFOLD_MONITOR_CANARY_API_URL": f"http://{HOST}:{ports.api}",
        "CALLFOLD_CONSOLE_HOST": HOST,
        "CALLFOLD_CONSOLE_PORT": str(ports.console),
        "CALLFOLD_CONSOLE_MONITOR": f"http://{HOST}:{ports.monitor}",
        # So that the log of a killed service is complete.
        "PYTHONUNBUFFERED": "1",
    }


def write_dotenv(path: Path, variables: dict[str, str]) -> None:
    """Write the variables to a file that other programs read, such as the `callfold` command."""
    quoted = {name: value.replace("\\", r"\\").replace("'", r"\'") for name, value in variables.items()}
    write_private(path, "".join(f"{name}='{value}'\n" for name, value in quoted.items()))
