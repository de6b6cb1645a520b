"""What a valid event probably should not have: for those who write events, not for the worker."""

from difflib import get_close_matches
from typing import Any

from shared.contract.lenient import json_text
from shared.contract.lenient.sent_data import opened, sent_data
from shared.contract.payloads import OPT_OUT, TYPES, TelephonyIdentifier
from shared.contract.problems import Problem, ProblemKind
from shared.contract.rejection import Refused

_ALIKE = 0.75
_MEANT = {
    "call.created": ("initiated", "queued", "new"),
    "call.ringing": ("alerting", "ring"),
    "call.started": ("answered", "connected", "in.progress", "accepted"),
    "call.ended": ("completed", "hangup", "hungup", "disconnected", "terminated", "finished", "busy", "no.answer"),
}
"""What providers call the moments of a call, the separators as points."""
_SEPARATORS = str.maketrans("_-/:", "....")
_INNER: dict[str, Any] = {"telephony_identifier": TelephonyIdentifier}


def unknown_fields(raw: bytes) -> list[Problem]:
    """Return a problem for each field of `data` that its type does not have; none for a type that is not known.

    Raises:
        ValueError: `raw` is not JSON.
    """
    parsed = json_text.parse(raw)
    kind = parsed.value.get("type") if isinstance(parsed.value, dict) else None
    if not isinstance(kind, str) or kind not in TYPES:
        return []
    try:
        data = opened(sent_data(parsed)).value
    except Refused:
        return []
    if not isinstance(data, dict):
        return []
    model: Any = TYPES[kind]
    known = [*model.__annotations__, OPT_OUT]
    problems = [_unknown(name, name, known, kind) for name in data if name not in known]
    for field, inner in _INNER.items():
        if field in known and isinstance(data.get(field), dict):
            names = list(inner.__annotations__)
            problems += [_unknown(field, f"{field}.{name}", names, kind) for name in data[field] if name not in names]
    return problems


def resembling(kind: str) -> str | None:
    """Return the type of the contract that an unknown type resembles, None if it is known or resembles none."""
    if kind in TYPES:
        return None
    plain = kind.lower().translate(_SEPARATORS)
    within = [name for name in TYPES if f".{name}." in f".{plain}."]
    if within:
        return max(within, key=len)
    for name, words in _MEANT.items():
        if any(f".{plain}.".endswith(f".{word}.") for word in words):
            return name
    for candidate in (plain, ".".join(plain.split(".")[-2:])):
        if close := get_close_matches(candidate, TYPES, n=1, cutoff=_ALIKE):
            return close[0]
    return None


def _unknown(field: str, path: str, known: list[str], kind: str) -> Problem:
    close = get_close_matches(path.rpartition(".")[2], known, n=1, cutoff=_ALIKE)
    hint = f": did you mean `{close[0]}`?" if close else ""
    return Problem(ProblemKind.UNKNOWN_FIELD, field, f"`data.{path}` is no field of `{kind}`{hint}")
