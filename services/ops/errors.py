"""The exit codes of the command, and the one exception by which it fails."""

FAILED = 1
USAGE = 2
INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended."""


class CommandError(Exception):
    """The command cannot do what was asked; the message says why in one line, without any secret."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        """`code` is the process's exit code."""
        super().__init__(message)
        self.code = code
