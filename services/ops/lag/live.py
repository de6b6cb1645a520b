"""The live view: what `callfold lag --watch` draws after each reading."""

from collections import defaultdict, deque

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from services.ops.console import shown
from services.ops.lag.table import numbers
from services.ops.lag.words import duration, name, sparkline, summary
from shared.lag.judge import SEVERITY
from shared.lag.models import Lag, PartitionLag, Verdict

_NUMBERS = ("records", "seconds", "in/s", "out/s", "drains")
_BARS_NARROW, _BARS_WIDE = 8, 30
_WIDE_COLUMNS = 120
_AROUND_LINES = 8
_STYLES = {Verdict.OK: "green", Verdict.CATCHING_UP: "yellow", Verdict.FALLING_BEHIND: "yellow"}
_HINT = "q quits"


class View:
    """Draws the last lag, the worst partitions first, with a sparkline of each partition's records."""

    def __init__(self) -> None:
        self._lag: Lag | None = None
        self._past: defaultdict[tuple[str, int], deque[int | None]] = defaultdict(lambda: deque(maxlen=_BARS_WIDE))

    def show(self, lag: Lag) -> None:
        """Take the next lag."""
        self._lag = lag
        for part in lag.partitions:
            self._past[part.topic, part.partition].append(part.lag)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw for the size and the characters of the terminal."""
        if self._lag is None:
            yield Text(f"reading; {_HINT}")
            return
        lines = max((options.height or console.height) - _AROUND_LINES, 1)
        ordered = sorted(self._lag.partitions, key=_severity, reverse=True)
        yield Text(shown(summary(self._lag)), style=_style(self._lag.verdict))
        yield Text()
        yield self._table(_fitting(ordered, lines), wide=options.max_width >= _WIDE_COLUMNS, plain=options.ascii_only)
        yield from self._below(ordered, lines)

    def _table(self, parts: list[PartitionLag], *, wide: bool, plain: bool) -> Table:
        bars = _BARS_WIDE if wide else _BARS_NARROW
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("partition", no_wrap=True)
        for column in _NUMBERS:
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("lately", min_width=bars, no_wrap=True)
        table.add_column("verdict", overflow="fold")
        for part in parts:
            past = [*self._past[part.topic, part.partition]][-bars:]
            cells = [shown(name(part)), *numbers(part), sparkline(past, plain=plain)]
            table.add_row(*map(Text, cells), Text(self._judgement(part, wide=wide), style=_style(part.verdict)))
        return table

    def _judgement(self, part: PartitionLag, *, wide: bool) -> str:
        if self._lag is None or part.since is None:
            return str(part.verdict)
        lasts = duration(max(self._lag.at - part.since, 0.0))
        return f"{part.verdict} {lasts}{': ' if wide else chr(10)}{part.cause}"

    def _below(self, parts: list[PartitionLag], lines: int) -> list[Text]:
        left = len(parts) - len(_fitting(parts, lines))
        hidden = [Text(shown(f"not visible: {each}")) for each in (self._lag.hidden if self._lag else ())]
        more = [Text(f"and {left} more partitions: enlarge the terminal")] if left else []
        return [*more, *hidden, Text(_HINT, style="dim")]


def _fitting(parts: list[PartitionLag], lines: int) -> list[PartitionLag]:
    """Return the first partitions, as many as fit: what is not ok may take two lines."""
    fitting: list[PartitionLag] = []
    for part in parts:
        lines -= 1 if part.verdict is Verdict.OK else 2
        if lines < 0:
            break
        fitting.append(part)
    return fitting


def _severity(part: PartitionLag) -> tuple[int, float]:
    return SEVERITY.index(part.verdict), part.lag_seconds or 0.0


def _style(verdict: Verdict) -> str:
    return _STYLES.get(verdict, "bold red")
