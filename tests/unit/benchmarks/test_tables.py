"""Figures as text: tables for people who read Markdown or a terminal."""

import io

import pytest
from rich.console import Console

from benchmarks.samples import Figure, Run, Samples
from benchmarks.tables import judged, measured, number, spread
from benchmarks.verdicts import judge


def samples() -> Samples:
    found = Samples()
    for round_, rate in enumerate((24_000.0, 26_000.0, 25_000.0)):
        found.add("ingest", "100 events a call", "callfold, one worker", round_, events_per_second=rate, peak_mb=210.5)
    found.add("ingest", "100 events a call", "Kafka Connect, insert", 0, events_per_second=10_000.0)
    found.add("scale", "1 worker", "callfold", 0, events_per_second=1.0)
    found.runs["ingest"] = Run(3, False, 60.0, {})
    return found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0312, "0.03"),
        (17, "17"),
        (1.001, "1.00"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (99.96, "100"),
        (25_499.9, "25,500"),
    ],
)
def test_a_number_has_the_digits_that_it_deserves(value: float, text: str) -> None:
    assert number(value) == text


def test_a_spread_is_told_where_there_is_one() -> None:
    assert spread(Figure(2.5, 1.0, 3.0, 3)) == "2.50 (1 to 3)"
    assert spread(Figure(2.5, 2.5, 2.5, 3)) == "2.50"


def test_a_part_has_a_row_for_each_subject_and_says_which_rounds_and_figures_it_lacks() -> None:
    lines = measured(samples(), "ingest").markdown().splitlines()

    assert lines == [
        "|  |  | events/s | peak, MB |",
        "| --- | --- | ---: | ---: |",
        "| 100 events a call | callfold, one worker | 25,000 (24,000 to 26,000) | 210 |",
        "| 100 events a call | Kafka Connect, insert | 10,000, 1 of 3 rounds | – |",  # noqa: RUF001
    ]


def test_a_measure_that_has_no_words_is_told_by_its_name() -> None:
    found = Samples()
    found.add("fresh", "500 events/s", "callfold", 0, left_behind=3)

    assert measured(found, "fresh").columns == ["", "", "left behind"]


def test_targets_are_told_with_what_became_of_them() -> None:
    found = samples()
    found.add("ingest", "100 events a call", "Quix Streams", 0, events_per_second=8_000.0)

    rows = {row[0]: row[2:] for row in judged(judge(found)).rows}

    assert rows["Events/s, 100 events a call, one worker, over Quix Streams"] == ["at least 4", "3", "missed"]
    assert rows["Memory of the worker"] == ["at most 300", "210", "reached"]
    assert rows["Memory of the API"] == ["at most 150", "not measured", "not measured"]


def test_a_terminal_shows_the_same() -> None:
    shown = io.StringIO()

    Console(file=shown, width=120).print(measured(samples(), "ingest").printed("ingest"))

    assert "25,000 (24,000 to 26,000)" in shown.getvalue()
    assert "10,000, 1 of 3 rounds" in shown.getvalue()
