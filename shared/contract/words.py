"""The words that providers use for the same thing, and the one that each is read as (docs/record.md, Words)."""

_DIRECTIONS = {
    "INBOUND": ("inbound", "incoming", "in", "terminating"),
    "OUTBOUND": ("outbound", "outgoing", "out", "originating", "outbound-api", "outbound-dial"),
}
_CALL_TYPES = {
    "PHONE_CALL": ("phone_call", "phone", "pstn", "sip", "inboundPhoneCall", "outboundPhoneCall"),
    "WEB_CALL": ("web_call", "web", "webrtc", "browser"),
}
_ROLES = {
    "assistant": ("assistant", "agent", "bot", "ai"),
    "user": ("user", "customer", "caller", "human"),
    "system": ("system",),
}
_STATUSES = {
    "requested": "requested",
    "started": "requested",
    "ringing": "ringing",
    "bridged": "bridged",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "failed": "failed",
}
KINDS = ("charge", "adjustment")
"""The kinds of a reported cost."""

_WITHOUT_SEPARATORS = str.maketrans("", "", " -_")
_AS_UNDERSCORE = str.maketrans(".- ", "___")


def _plain(word: str) -> str:
    return word.lower().translate(_WITHOUT_SEPARATORS)


def _inverted(table: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {_plain(word): value for value, words in table.items() for word in words}


_DIRECTION_OF = _inverted(_DIRECTIONS)
_CALL_TYPE_OF = _inverted(_CALL_TYPES)
_ROLE_OF = _inverted(_ROLES)


def direction(word: str) -> str:
    return _DIRECTION_OF.get(_plain(word)) or word.upper()


def call_type(word: str) -> str:
    return _CALL_TYPE_OF.get(_plain(word)) or word.upper()


def role(word: str) -> str:
    return _ROLE_OF.get(_plain(word)) or word.lower()


def status(word: str) -> str:
    """Return the status of a transfer in its usual spelling; a word that is not known stays as it came."""
    return _STATUSES.get(word.lower(), word)


def kind(word: str) -> str | None:
    """Return the kind of a reported cost, None if the word is none of `KINDS`."""
    lower = word.lower()
    return lower if lower in KINDS else None


def component(name: str) -> str:
    """Return the name of a latency component in its usual spelling: `LLM.ttft` is `llm_ttft`."""
    return name.lower().translate(_AS_UNDERSCORE)
