"""Ports that are picked while others pick."""

import socket

import pytest

from deploy.local import ports


def test_a_port_is_given_away_once_before_its_server_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ports.free_port(), ports.free_port()
    with socket.socket(type=socket.SOCK_DGRAM) as unused:
        unused.bind((ports.HOST, 0))
        another = unused.getsockname()[1]

    monkeypatch.setattr(ports, "CHOICE", (*given, another))
    monkeypatch.setattr(ports, "is_free", lambda _: True)

    assert ports.free_port() == another
