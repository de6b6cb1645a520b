"""The API key with which the monitor's canary reads its calls."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from deploy.local.credentials.private_file import write_private
from deploy.local.errors import LocalError
from deploy.local.local_client import local_client
from shared.config.policies import CANARY_ORGANIZATION

KEY, SECRET = "callfold_monitor_canary_api_key", "callfold_monitor_canary_api_secret"
"""Files of the folder of secrets; each has the name of its variable in lower case."""

CREATE = (sys.executable, "-m", "services.ops", "keys", "create", "--name", "canary", "--json", "--organization")

_ON = {"1", "true", "t", "yes", "y", "on"}
_TIMEOUT = 5.0
_CREATED_WITHIN = 120.0


def make_canary_key(secrets: Path, environment: Mapping[str, str]) -> None:
    """Create the key, unless the canary is off, or has a key of the caller, or one that the API knows.

    Raises:
        LocalError: the key cannot be created.
    """
    on = environment["CALLFOLD_MONITOR_CANARY"].lower() in _ON
    if not on or KEY.upper() in environment or _opens(secrets, environment["CALLFOLD_MONITOR_CANARY_API_URL"]):
        return
    organization = environment.get("CALLFOLD_MONITOR_CANARY_ORGANIZATION") or CANARY_ORGANIZATION
    created = _created(organization, environment)
    write_private(secrets / KEY, created["api_key"])
    write_private(secrets / SECRET, created["api_secret"])


def _created(organization: str, environment: Mapping[str, str]) -> dict[str, str]:
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            [*CREATE, organization],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CREATED_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"The canary's API key was not created within {_CREATED_WITHIN:g} s") from error
    if done.returncode != 0:
        raise LocalError(f"The canary's API key cannot be created: {done.stderr.strip()}")
    created: dict[str, str] = json.loads(done.stdout)
    return created


def _opens(secrets: Path, url: str) -> bool:
    """Return whether there is a key, and the API does not reject it: its database may have been made anew."""
    try:
        key, secret = ((secrets / name).read_text() for name in (KEY, SECRET))
    except FileNotFoundError:
        return False
    headers = {"X-API-KEY": key, "X-API-SECRET": secret}
    try:
        answer = local_client().get(f"{url}/api/calls/canary", headers=headers, timeout=_TIMEOUT)
    except httpx.HTTPError:
        return True  # nothing is known against it
    return answer.status_code != httpx.codes.UNAUTHORIZED
