"""Structured logs, without private content: no transcripts, phone numbers, keys or secrets."""

import logging
import sys
import traceback
from typing import Literal

import structlog
from cachetools import LRUCache
from structlog.typing import EventDict, Processor

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_OWN = ("services", "shared")
_REPEAT_SECONDS = 60.0
_MAX_REMEMBERED = 1_000


def configure(level: str, form: Literal["json", "console"]) -> None:
    """Write the program's logs, and the warnings of libraries, to standard error."""
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
    handler.addFilter(_OncePerMinute())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for own in _OWN:
        logging.getLogger(own).setLevel(_LEVELS[level])


def logger(name: str) -> structlog.stdlib.BoundLogger:
    named: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return named


class _OncePerMinute(logging.Filter):
    """Drops what a library repeats within a minute, such as aiokafka's warning at each attempt to connect."""

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: LRUCache[tuple[str, str], float] = LRUCache(_MAX_REMEMBERED)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged; those of our own code always are."""
        if record.name.startswith(_OWN):
            return True
        message = (record.name, str(record.msg))
        if record.created < self._logged_at.get(message, 0.0) + _REPEAT_SECONDS:
            return False
        self._logged_at[message] = record.created
        return True


def _where(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and its frames: its message may quote private content."""
    raised = event.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["exception"] = type(error).__name__
        event["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event
