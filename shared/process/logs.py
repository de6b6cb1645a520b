"""Structured logs: a line per event of the program's own life. Never a transcript, a number, a key or a secret."""

import logging
import sys
import traceback
from typing import Literal

import structlog
from cachetools import LRUCache
from structlog.typing import EventDict, Processor

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_OURS = ("services", "shared")
_SILENT_SECONDS = 60.0
_MESSAGES = 1_000


def configure(level: str, form: Literal["json", "console"]) -> None:
    """Send the program's logs, and the warnings of its libraries, to standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _where,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    handler.addFilter(_NotAgain())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for ours in _OURS:
        logging.getLogger(ours).setLevel(_LEVELS[level])


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    log: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return log


class _NotAgain(logging.Filter):
    """Lets a library say the same thing once a minute: a broker that is away is reported at each attempt."""

    def __init__(self) -> None:
        super().__init__()
        self._said: LRUCache[tuple[str, str], float] = LRUCache(_MESSAGES)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be logged; ours always are."""
        if record.name.startswith(_OURS):
            return True
        what = (record.name, str(record.msg))
        silent_until = self._said.get(what, 0.0) + _SILENT_SECONDS
        if record.created < silent_until:
            return False
        self._said[what] = record.created
        return True


def _where(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and its frames: its message may quote what was said in a call."""
    raised = event.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["exception"] = type(error).__name__
        event["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event
