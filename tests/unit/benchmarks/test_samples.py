"""No value is lost between rounds, and a ratio is taken within a round."""

from pathlib import Path

import pytest

from benchmarks.samples import Cell, Figure, Run, Samples

OURS = Cell("read", "final", "callfold", "requests_per_second")
DRIVER = OURS._replace(subject="find_one alone")
EMPTY = OURS._replace(subject="FastAPI, empty answer")


def samples(**values: list[float]) -> Samples:
    """Return the values of the rounds of each subject."""
    found = Samples()
    subjects = {"ours": OURS, "driver": DRIVER, "empty": EMPTY}
    for name, rounds in values.items():
        for number, value in enumerate(rounds):
            found.add("read", "final", subjects[name].subject, number, requests_per_second=value)
    return found


def test_a_figure_is_the_median_with_its_spread() -> None:
    assert Figure.of([3.0, 1.0, 2.0, 10.0]) == Figure(median=2.5, least=1.0, most=10.0, rounds=4)


def test_a_ratio_is_taken_within_each_round() -> None:
    found = samples(ours=[10.0, 30.0, 80.0], driver=[5.0, 10.0, 20.0])

    assert found.ratio(OURS, DRIVER) == Figure(median=3.0, least=2.0, most=4.0, rounds=3)


def test_times_are_added_where_a_rate_is_compared_with_two() -> None:
    found = samples(ours=[100.0], driver=[400.0], empty=[200.0])

    ratio = found.ratio(OURS, DRIVER, EMPTY)

    one_after_the_other = 1 / (1 / 400.0 + 1 / 200.0)
    assert ratio is not None
    assert ratio.median == pytest.approx(100.0 / one_after_the_other)


def test_a_round_without_one_of_them_makes_no_ratio() -> None:
    found = samples(ours=[10.0, 30.0], driver=[5.0, 10.0], empty=[5.0])

    assert found.ratio(OURS, DRIVER, EMPTY) == Figure(4.0, 4.0, 4.0, 1)
    assert found.ratio(OURS, OURS._replace(subject="nobody")) is None
    assert found.ratio(OURS) is None


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written = samples(ours=[1.5], driver=[2.0])
    written.runs["read"] = Run(3, True, 12.5, {"cores": "2"}, "TimeoutError: ")

    written.write(tmp_path / "bench" / "samples.json")

    assert Samples.read(tmp_path / "bench" / "samples.json") == written
    assert [path.name for path in (tmp_path / "bench").iterdir()] == ["samples.json"]
    assert Samples.read(tmp_path / "nothing.json") == Samples()


def test_a_part_replaces_the_values_of_that_part_only() -> None:
    there, new = samples(ours=[1.0, 2.0]), samples(ours=[5.0])
    there.add("ingest", "100", "callfold", 0, events_per_second=1.0)
    new.add("ingest", "100", "callfold", 0, events_per_second=9.0)
    new.runs["read"] = Run(1, False, 1.0, {})

    there.replace("read", new)

    assert {cell.part: found.median for cell, found in there.figures().items()} == {"ingest": 1.0, "read": 5.0}
    assert list(there.runs) == ["read"]
