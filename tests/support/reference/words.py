"""The words that providers use for the same thing, and how each is read (docs/publishing.md); see `reading.py`."""

import re

Table = dict[str, tuple[str, ...]]

_DIRECTION: Table = {
    "INBOUND": ("inbound", "incoming", "in", "terminating"),
    "OUTBOUND": ("outbound", "outgoing", "out", "originating", "outbound-api", "outbound-dial"),
}
_CALL_TYPE: Table = {
    "PHONE_CALL": ("phone_call", "phone", "pstn", "sip", "inboundPhoneCall", "outboundPhoneCall"),
    "WEB_CALL": ("web_call", "web", "webrtc", "browser"),
}
_ROLE: Table = {
    "assistant": ("assistant", "agent", "bot", "ai"),
    "user": ("user", "customer", "caller", "human"),
    "system": ("system",),
}
_TRANSFER_STATUS = {
    "requested": "requested",
    "started": "requested",
    "ringing": "ringing",
    "bridged": "bridged",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "failed": "failed",
}


def direction(said: str) -> str:
    return _in_table(_DIRECTION, said) or said.upper()


def call_type(said: str) -> str:
    return _in_table(_CALL_TYPE, said) or said.upper()


def role(said: str) -> str:
    return _in_table(_ROLE, said) or said.lower()


def transfer_status(said: str) -> str:
    """Return the status in the contract's spelling; another one as it came."""
    return _TRANSFER_STATUS.get(said.lower(), said)


def component(said: str) -> str | None:
    """Return the name of a component of latency, None if it cannot be one."""
    name = re.sub("[. -]", "_", said.lower())
    return name if re.fullmatch("[a-z][a-z0-9_]{0,63}", name) else None


def _in_table(table: Table, said: str) -> str | None:
    return next((value for value, words in table.items() if _plain(said) in map(_plain, words)), None)


def _plain(word: str) -> str:
    return re.sub("[ _-]", "", word).lower()
