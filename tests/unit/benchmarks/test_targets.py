"""Targets are compared with what was measured; one that was not measured is never reached."""

import pytest

from benchmarks.samples import Cell, Samples
from benchmarks.targets import ANY, TARGETS, Target, Verdict, judge

OVER = Cell("long", "50,000 events", "callfold", "cpu_us_per_event")
UNDER = OVER._replace(case="100 events")


def measured(over: list[float], under: list[float]) -> Samples:
    found = Samples()
    for cell, values in ((OVER, over), (UNDER, under)):
        for number, value in enumerate(values):
            found.add(cell.part, cell.case, cell.subject, number, **{cell.measure: value})
    return found


def verdict(samples: Samples, target: Target) -> Verdict:
    (found,) = judge(samples, [target])
    return found.verdict


@pytest.mark.parametrize(("limit", "expected"), [(1.5, "reached"), (1.49, "missed")])
def test_a_ratio_at_most(limit: float, expected: str) -> None:
    target = Target("flat", "times", OVER, (UNDER,), most=limit)

    assert verdict(measured([20, 15, 30], [10, 10, 30]), target) == expected


@pytest.mark.parametrize(("limit", "expected"), [(1.5, "reached"), (1.51, "missed")])
def test_a_ratio_at_least(limit: float, expected: str) -> None:
    target = Target("fast", "times", OVER, (UNDER,), least=limit)

    assert verdict(measured([20, 15, 30], [10, 10, 30]), target) == expected


def test_one_bad_round_counts_where_the_worst_does() -> None:
    samples = measured([0, 0, 1], [])

    assert verdict(samples, Target("never", "", OVER, most=0)) == "reached"
    assert verdict(samples, Target("never", "", OVER, most=0, worst=True)) == "missed"


def test_any_case_takes_all_cases_of_the_subject_and_no_other() -> None:
    samples = measured([10], [200])
    samples.add("long", "100 events", "$push onto one document", 0, cpu_us_per_event=900)

    (found,) = judge(samples, [Target("memory", "MB", OVER._replace(case=ANY), most=300, worst=True)])

    assert found.figure is not None
    assert (found.figure.least, found.figure.most) == (10, 200)


def test_a_target_without_a_figure_is_neither_reached_nor_missed() -> None:
    target = Target("flat", "times", OVER, (UNDER,), most=1.25)

    for samples in (Samples(), measured([10], []), measured([], [10])):
        assert verdict(samples, target) == "not measured"


def test_every_target_has_a_name_of_its_own_and_one_limit() -> None:
    names = [target.name for target in TARGETS]

    assert len(set(names)) == len(names)
    assert all((target.least is None) != (target.most is None) for target in TARGETS)


def test_every_target_can_be_met_and_missed() -> None:
    for target in TARGETS:
        for value, expected in ((1e-6, target.most is not None), (1e6, target.least is not None)):
            samples = Samples()
            for cell in target.under:
                samples.add(cell.part, cell.case, cell.subject, 0, **{cell.measure: 1.0})
            over = target.over
            samples.add(over.part, over.case, over.subject, 0, **{over.measure: 0.0 if value < 1 else value})

            assert (verdict(samples, target) == "reached") is expected, target.name
