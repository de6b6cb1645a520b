"""Whether a partition's lag becomes more or less."""

from dataclasses import dataclass

_LONGEST_SECONDS = 60.0
_NOISE = 0.02


@dataclass(slots=True)
class Trend:
    """Follows the least lag of the last seconds, and turns only where it leaves its extreme by more than the noise.

    `drains` is whether the lag becomes less; `peak` the time and the lag at which it began to.
    """

    drains: bool = False
    peak: tuple[float, int] = (0.0, 0)
    _extreme: int = 0
    _extreme_at: float = 0.0

    def observe(self, now: float, least: int, commits: float) -> None:
        """Record the least lag; `commits` is how many records arrive during two commits."""
        noise = max(commits, self._extreme * _NOISE, 1)
        further = least <= self._extreme if self.drains else least >= self._extreme
        if further and not self.drains:
            self.peak = (now, least)
        turns = self._has_turned(now, least, noise)
        if turns:
            self.drains = not self.drains
        if further or turns:
            self._extreme, self._extreme_at = least, now

    def _has_turned(self, now: float, least: int, noise: float) -> bool:
        if self.drains:
            return least > self._extreme + noise or now - self._extreme_at > _LONGEST_SECONDS
        return least < self._extreme - noise
