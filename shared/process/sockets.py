"""The socket that a program listens on, had before anything else has started, so that one line says all."""

import os
import socket

from shared.config.settings import PREFIX

_BACKLOG = 2048


class CannotListen(OSError):
    """The address cannot be had; the message names it and the variables that move it."""


def listen(host: str, port: int, variables: str) -> socket.socket:
    """Return the listening socket; `variables` is the prefix of the two that set it: `API` for CALLFOLD_API_PORT.

    Raises:
        CannotListen: the port is taken, or there is no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # In the system's own words: what Python adds to them names the address again.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        moved_by = f"{PREFIX}{variables}_HOST, {PREFIX}{variables}_PORT"
        raise CannotListen(f"cannot listen on {host}:{port} ({moved_by}): {why}") from error
