"""Moments of a call as its page shows them: relative to its start."""


def since(moment: int, zero: int) -> str:
    """Return a moment (Unix milliseconds) as the time since `zero`: `00:42`, `1:02:03`; before it with a minus."""
    sign = "\u2212" if moment < zero else ""
    seconds = abs(moment - zero) // 1000
    hours, minutes = divmod(seconds // 60, 60)
    whole = f"{hours}:{minutes:02d}" if hours else f"{minutes:02d}"
    return f"{sign}{whole}:{seconds % 60:02d}"
