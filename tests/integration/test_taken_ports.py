"""Services whose port another program has."""

import socket

import pytest

from deploy.local.ports import HOST
from tests.support.api.client import PEPPER
from tests.support.service import run, without_servers


@pytest.mark.parametrize("service", ["api", "console", "monitor"])
def test_a_port_in_use_is_one_line(service: str) -> None:
    name = service.upper()
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]

        ended = run(service, **without_servers(), **{f"{name}_PORT": str(port), "API_SECRET_PEPPER": PEPPER})

    assert (ended.returncode, ended.stderr) == (
        1,
        f"cannot listen on {HOST}:{port} (CALLFOLD_{name}_HOST, CALLFOLD_{name}_PORT): Address already in use\n",
    )
