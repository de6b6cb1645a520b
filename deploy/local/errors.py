"""What can go wrong on this machine, each said in words for the person at the keyboard."""

from pathlib import Path

TAIL_LINES = 20


class LocalError(Exception):
    """Something that the person at the keyboard can put right; the message says how."""


class NotReadyError(LocalError):
    """A server ended or did not become ready: why, the end of its log, and where the logs are."""

    def __init__(self, name: str, why: str, log: Path) -> None:
        super().__init__(f"{name} {why}\nThe end of {log}:\n{tail(log)}\nThe logs are in {log.parent}")


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last `lines` lines of a log, indented; a word in their place if there are none."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        text = ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (empty)"
