"""Errors of the local stack, with messages for the user."""

from pathlib import Path

TAIL_LINES = 20

# As the C library words it, and with it Kafka, mongod and Python. The trace that Kafka logs behind it is long.
_PORT_TAKEN = "Address already in use"
_SEARCHED_LINES = 80


class LocalError(Exception):
    """An error that the user can fix; the message says how."""


class NotReadyError(LocalError):
    """A server ended or did not become ready. The message has the reason and the end of its log."""

    def __init__(self, name: str, why: str, log: Path) -> None:
        if _PORT_TAKEN in tail(log, _SEARCHED_LINES):
            advice = f"stop what listens there, or set another CALLFOLD_..._PORT (its log is {log})"
            super().__init__(f"{name} cannot listen, its port is taken: {advice}.")
        else:
            super().__init__(f"{name} {why}\nThe end of {log}:\n{tail(log)}\nThe logs are in {log.parent}")


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last `lines` lines of a log, indented; `(empty)` if there are none."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        text = ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (empty)"
