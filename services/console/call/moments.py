"""Moments of a call as its page shows them: relative to its start."""

_MINUTE_MS, _HOUR_MS = 60_000, 3_600_000


def since(moment: int, zero: int) -> str:
    """Return a moment (Unix milliseconds) as the time since `zero`: `00:42`, `1:02:03`; before it with a minus."""
    sign = "\u2212" if moment < zero else ""
    seconds = abs(moment - zero) // 1000
    hours, minutes = divmod(seconds // 60, 60)
    whole = f"{hours}:{minutes:02d}" if hours else f"{minutes:02d}"
    return f"{sign}{whole}:{seconds % 60:02d}"


def length(milliseconds: float) -> str:
    """Return how long something took, in one piece: `412 ms`, `3.4 s`, `5 min 07 s`, `1 h 02 min`."""
    if not milliseconds:
        return _unbroken("0 s")
    if milliseconds < 1000:  # noqa: PLR2004 - milliseconds of a second
        return _unbroken(f"{milliseconds:,.0f} ms")
    if milliseconds < _MINUTE_MS:
        return _unbroken(f"{milliseconds / 1000:.1f} s")
    seconds = round(milliseconds / 1000)
    if milliseconds < _HOUR_MS:
        return _unbroken(f"{seconds // 60} min {seconds % 60:02d} s")
    return _unbroken(f"{seconds // 3600} h {seconds % 3600 // 60:02d} min")


def _unbroken(text: str) -> str:
    return text.replace(" ", "\u00a0")
