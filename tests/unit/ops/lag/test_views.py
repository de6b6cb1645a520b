"""What is shown of a lag: as a table, and live."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from services.ops.lag.live import View
from services.ops.lag.table import print_lag
from services.ops.lag.taking import needs_time
from shared.lag.history import History
from shared.lag.judge import judge
from shared.lag.models import Lag
from tests.support.lag.judging import judged
from tests.support.lag.partition import STOPPED, TOPIC, Phase, kafka_gone, merged, older, readings

FALLING = Phase(60, 900, commits=600)


def two_partitions() -> Lag:
    return judge("callfold", History(map(merged, readings(Phase(120)), readings(Phase(60), FALLING))))


def drawn(view: View, *, width: int, height: int = 24, encoding: str = "utf-8") -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(
        file=file, width=width, height=height, force_terminal=True, color_system=None, legacy_windows=False
    )
    console.print(view)
    file.seek(0)
    return file.read().splitlines()


def test_a_pipe_gets_a_line_with_all_columns_for_each_partition(capsys: pytest.CaptureFixture[str]) -> None:
    print_lag(two_partitions())

    head, first, second, total = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head == [
        "topic",
        "partition",
        "records",
        "seconds",
        "in/s",
        "out/s",
        "drains_in",
        "owner",
        "verdict",
        "cause",
    ]
    assert first == [TOPIC, "0", "500", "1.0", "500", "500", "0s", "worker-1", "ok", "none"]
    assert second[:7] == [TOPIC, "1", "18500", "20.6", "900", "600", "never"]
    assert second[7:] == ["worker-1", "falling_behind", "backlog"]
    assert total == ["total", "(callfold)", "19000", "20.6", "1400", "1100", "never", "falling_behind", "backlog"]


@pytest.mark.parametrize("width", [80, 160])
def test_the_live_view_fits_the_terminal_and_has_the_worst_partition_first(width: int) -> None:
    view = View()
    for lag in judged(map(merged, readings(Phase(120)), readings(Phase(60), FALLING))):
        view.show(lag)

    lines = drawn(view, width=width)

    text = " ".join(" ".join(lines).split())
    names = [line.split()[0] for line in lines if line.startswith("telephony-")]
    assert max(map(len, lines)) <= width
    assert names == ["telephony-1", "telephony-0"]
    assert "callfold: falling_behind: backlog since" in text
    assert re.search(r"falling_behind 3\ds", text)
    assert "█" in text
    assert "q quits" in text


def test_a_partition_that_cannot_be_read_comes_before_those_that_are_only_behind() -> None:
    view = View()
    *before, last = map(merged, readings(Phase(60), FALLING), readings(Phase(120)))
    seen = {part: found for part, found in last.partitions.items() if part != (TOPIC, 1)}
    view.show(judge("callfold", [*before, replace(last, partitions=seen)]))

    lines = drawn(view, width=100)

    assert next(line.split()[0] for line in lines if line.startswith("telephony-")) == "telephony-1"


def test_more_partitions_than_lines_are_counted() -> None:
    view = View()
    view.show(judge("callfold", [merged(*[next(readings(Phase(1)))] * 30)]))

    lines = drawn(view, width=100, height=20)

    assert len(lines) <= 20
    assert any(line.startswith("and 18 more partitions") for line in lines)


def test_a_terminal_without_unicode_gets_plain_bars() -> None:
    view = View()
    view.show(two_partitions())

    assert all(line.isascii() for line in drawn(view, width=100, encoding="ascii"))


def test_what_is_not_known_is_a_dash() -> None:
    view = View()
    view.show(judge("callfold", History(readings(Phase(60), Phase(2, change=kafka_gone)))))

    (row,) = [line for line in drawn(view, width=120) if line.startswith("telephony-0")]

    assert row.split()[1:6] == ["-"] * 5
    assert "unknown 1s: kafka_unavailable" in row


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (Phase(4), False),
        (Phase(4, commits=0, change=older), True),
        (Phase(1, 0, **STOPPED), True),
        (Phase(4, 0, **STOPPED), False),
        (Phase(4, change=kafka_gone), False),
    ],
    ids=["flows", "waits", "no worker yet", "no worker", "Kafka gone"],
)
def test_more_readings_are_taken_only_where_they_decide(phase: Phase, expected: bool) -> None:
    assert needs_time(judge("callfold", History(readings(phase)))) is expected
