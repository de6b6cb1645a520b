"""From items to shapes in rows: one shape for each item, or, of a long call, one for each part of its time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.console.call.moments import since
from services.console.call.timeline.axis import WIDTH, Axis, Tick, axis_of
from services.console.call.timeline.items import LANES, Item, Kind, Word, of_talk
from services.console.words import length

ROW, SHAPE = 30.0, 24.0
"""The height of a lane, and of a shape in it."""

GAP_MS = 3_000
"""A silence of at least so long is shown as a gap."""

MOST_ITEMS = 900
"""With more, a call's time is divided into parts: the picture stays small, and a shape wide enough to be clicked."""

PARTS = 200
_MOST_WORDS = 2_500
_TALK = {LANES[kind] for kind in (Kind.USER, Kind.ASSISTANT, Kind.OTHER)}
_LEAST_WIDTH = 3.0  # narrower ones could neither be seen nor clicked
_LEAST_HEIGHT = 0.15


@dataclass(frozen=True, slots=True)
class Shape:
    """A rectangle, which is a link: `href` leads to the part of the page that tells more; `wave` is a path in it."""

    id: str
    href: str
    kind: Kind
    x: float
    y: float
    width: float
    height: float
    title: str
    estimated: bool = False
    failed: bool = False
    final: bool = False
    wave: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence of all: at `x`, `width` wide."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The timeline; `ends_at` is where the call ended, None while it goes on. `binned`: a shape is a part of the time.

    `shapes_of` has the id of the shape for each `target`.
    """

    lanes: Sequence[str]
    shapes: Sequence[Shape]
    gaps: Sequence[Gap]
    ticks: Sequence[Tick]
    ends_at: float | None
    zero_at: float | None
    binned: bool
    estimated: bool
    shapes_of: Mapping[str, str]

    @property
    def height(self) -> float:
        return ROW * len(self.lanes)

    @property
    def talk_height(self) -> float:
        """The height of the lanes of talk, which are the first."""
        return ROW * sum(lane in _TALK for lane in self.lanes)

    @property
    def kinds(self) -> set[str]:
        return {shape.kind.value for shape in self.shapes}

    @property
    def waved(self) -> bool:
        return any(shape.wave for shape in self.shapes)

    @property
    def part_count(self) -> int:
        return PARTS


def picture(items: Sequence[Item], zero: int | None, ended: int | None, href: Callable[[str], str]) -> Picture:
    """Return the picture; `href` gives the address of a part of the page by its id, `zero` is the session's start."""
    axis = axis_of(items, zero, ended)
    lanes = _lanes(items)
    draw = _Draw(axis, {lane: number for number, lane in enumerate(lanes)}, href)
    binned = len(items) > MOST_ITEMS
    shapes = list(draw.parts(items) if binned else draw.each(items))
    return Picture(
        lanes=lanes,
        shapes=shapes,
        gaps=[] if binned else list(_gaps(axis, items, ended)),
        ticks=list(axis.ticks()),
        ends_at=None if ended is None else axis.x(ended),
        zero_at=None if zero is None else axis.x(zero),
        binned=binned,
        estimated=any(item.estimated for item in items),
        shapes_of=draw.shapes_of,
    )


def _lanes(items: Iterable[Item]) -> list[str]:
    present = {item.lane: item.kind for item in items}
    legs = [lane for lane, kind in present.items() if kind is Kind.LEG]
    order = [LANES[kind] for kind in (Kind.USER, Kind.ASSISTANT, Kind.OTHER, Kind.TOOL)] + legs
    order += [LANES[kind] for kind in (Kind.TRANSFER, Kind.DTMF, Kind.EVENT, Kind.END)]
    return [lane for lane in order if lane in present]


class _Draw:
    """Draws shapes in rows."""

    def __init__(self, axis: Axis, rows: Mapping[str, int], href: Callable[[str], str]) -> None:
        self._axis = axis
        self._rows = rows
        self._href = href
        self.shapes_of: dict[str, str] = {}

    def each(self, items: Sequence[Item]) -> Iterator[Shape]:
        waves = sum(len(item.words) for item in items) <= _MOST_WORDS
        for item in items:
            self.shapes_of[item.target] = f"span-{item.target}"
            yield self._shape(item, waves=waves)

    def _shape(self, item: Item, *, waves: bool) -> Shape:
        axis, y = self._axis, self._rows[item.lane] * ROW + (ROW - SHAPE) / 2
        x = min(axis.x(item.start), WIDTH - _LEAST_WIDTH)
        return Shape(
            id=f"span-{item.target}",
            href=self._href(item.target),
            kind=item.kind,
            x=x,
            y=y,
            width=max(_LEAST_WIDTH, round(axis.x(item.end) - x, 1)),
            height=SHAPE,
            title=self._title(item),
            estimated=item.estimated,
            failed=item.failed,
            final=item.final,
            wave="".join(self._bar(word, y + SHAPE / 2) for word in item.words) if waves else "",
        )

    def _title(self, item: Item) -> str:
        took = f" ({length(item.end - item.start)})" if item.end > item.start and not item.estimated else ""
        where = "" if self._axis.holds(item.start) else ", outside of the axis"
        return f"{since(item.start, self._axis.zero)} {item.label}{took}{where}"

    def _bar(self, word: Word, middle: float) -> str:
        x = self._axis.x(word.start)
        wide = max(0.6, (self._axis.x(word.end) - x) * 0.8)
        high = SHAPE * (0.2 + 0.6 * min(1.0, word.letters / 9))
        return f"M{x:.1f} {middle - high / 2:.1f}h{wide:.1f}v{high:.1f}h-{wide:.1f}z"

    def parts(self, items: Sequence[Item]) -> Iterator[Shape]:
        """Yield a shape for each part of a lane's time: its height is how much of the time is covered."""
        parts: dict[tuple[str, int], list[Item]] = {}
        for item in items:
            parts.setdefault((item.lane, self._part(item.start)), []).append(item)
        for (lane, part), of_part in sorted(parts.items(), key=lambda each: (self._rows[each[0][0]], each[0][1])):
            yield self._part_shape(lane, part, of_part)

    def _part(self, moment: int) -> int:
        return min(PARTS - 1, int(self._axis.x(moment) * PARTS / WIDTH))

    def _part_shape(self, lane: str, part: int, items: Sequence[Item]) -> Shape:
        name, wide = f"span-{self._rows[lane]}-{part}", WIDTH / PARTS
        self.shapes_of |= {item.target: name for item in items}
        took = (self._axis.ends - self._axis.begins) / PARTS
        covered = sum(item.end - item.start for item in items) / took if of_talk(items[0]) else len(items) / 10
        high = round(SHAPE * min(1.0, max(_LEAST_HEIGHT, covered)), 1)
        return Shape(
            id=name,
            href=self._href(items[0].target),
            kind=items[0].kind,
            x=round(part * wide, 1),
            y=self._rows[lane] * ROW + (ROW + SHAPE) / 2 - high,
            width=round(wide * 0.9, 1),
            height=high,
            title=f"from {since(items[0].start, self._axis.zero)}: {len(items)} in {lane}",
            failed=any(item.failed for item in items),
            final=any(item.final for item in items),
        )


def _gaps(axis: Axis, items: Iterable[Item], ended: int | None) -> Iterator[Gap]:
    """Yield the silences between turns, and from the last one to the end."""
    heard = None
    talk = sorted((item.start, item.end) for item in items if of_talk(item))
    for start, end in [*talk, *([(ended, ended)] if ended is not None else [])]:
        if heard is not None and start - heard >= GAP_MS:
            x = axis.x(heard)
            title = f"{length(start - heard)} of silence from {since(heard, axis.zero)}"
            yield Gap(x, round(axis.x(start) - x, 1), title)
        heard = end if heard is None else max(end, heard)
