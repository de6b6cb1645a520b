"""What the templates of the call's page turn values into text with."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from services.console.call.bounds import as_text, pretty
from services.console.call.costs import money
from services.console.call.moments import since
from services.console.words import UNKNOWN


def indented(value: Any) -> str:
    """Return a value as indented JSON."""
    return pretty(json.dumps(value, ensure_ascii=False))


def is_web(address: str | None) -> bool:
    """Return whether an address may be a link: what an event states may be `javascript:` as well."""
    try:
        return address is not None and urlsplit(address).scheme in {"http", "https"}
    except ValueError:
        return False


def since_or(moment: int | None, zero: int) -> str:
    """Return a moment as `since` does, a dash for none."""
    return UNKNOWN if moment is None else since(moment, zero)


def milliseconds(value: float) -> str:
    """Return a latency: its fraction only where it matters."""
    return f"{value:,.1f}" if value < 10 and value % 1 else f"{value:,.0f}"  # noqa: PLR2004 - less than ten


FILTERS: Mapping[str, Callable[..., Any]] = {
    "as_text": as_text,
    "indented": indented,
    "is_web": is_web,
    "money": money,
    "ms": milliseconds,
    "since": since,
    "since_or": since_or,
}
