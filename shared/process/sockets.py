"""The socket that a program listens on. It opens before anything else starts: its error is the only line."""

import os
import socket

from shared.config.settings import PREFIX

_BACKLOG = 2048


class CannotListen(OSError):
    """The address is not available; the message names it and the variables that set it."""


def listen(host: str, port: int, variables: str) -> socket.socket:
    """Return the listening socket; `variables` is the part of the name before `_HOST`: `API` for CALLFOLD_API_HOST.

    Raises:
        CannotListen: the port is in use, or the address does not exist.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # Python's own text names the address again.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        settings = f"{PREFIX}{variables}_HOST, {PREFIX}{variables}_PORT"
        raise CannotListen(f"cannot listen on {host}:{port} ({settings}): {why}") from error
