"""The plots: what they show, and that they are drawn the same each time."""

from xml.etree import ElementTree as ET

import pytest

from benchmarks.drawing import svg
from benchmarks.plots import Bars, Curves, plots
from benchmarks.samples import Samples


@pytest.fixture
def samples() -> Samples:
    found = Samples()
    for round_ in range(3):
        for case in ("100 events a call", "700 events a call"):
            for subject, rate in (("callfold, one worker", 25_000), ("Faust, tutorial", 480), ("limit: decode", 9e6)):
                found.add("ingest", case, subject, round_, events_per_second=rate + round_)
        for case in ("final, 1 connection", "final, 16 connections", "live, 1 connection"):
            found.add("read", case, "callfold", round_, requests_per_second=800 + round_)
        for events in (10_000, 100):
            found.add("long", f"{events:,} events", "callfold", round_, cpu_us_per_event=40)
            found.add("long", f"{events:,} events", "$push", round_, cpu_us_per_event=events)
        found.add("long", "50,000 events", "$push", round_, failed_at_events=38_000 + round_)
    return found


def test_bars_show_pipelines_by_workload_and_no_limits(samples: Samples) -> None:
    panels = plots(samples)["ingest"]

    assert [(panel.title, list(panel.bars)) for panel in panels if isinstance(panel, Bars)] == [
        ("100 events a call", ["callfold, one worker", "Faust, tutorial"]),
        ("700 events a call", ["callfold, one worker", "Faust, tutorial"]),
    ]


def test_readers_are_shown_at_sixteen_connections_where_that_was_measured(samples: Samples) -> None:
    panels = plots(samples)["read"]

    assert [panel.title for panel in panels] == ["final, 16 connections", "live, 1 connection"]


def test_curves_go_by_the_length_of_the_call_and_say_where_one_ends(samples: Samples) -> None:
    (panel,) = plots(samples)["long"]

    assert isinstance(panel, Curves)
    ours, push = panel.curves
    assert (list(ours.points), ours.ends) == ([100, 10_000], None)
    assert ({length: found.median for length, found in push.points.items()}, push.ends) == (
        {100: 100, 10_000: 10_000},
        38_001,
    )


def test_what_was_not_measured_has_no_plot(samples: Samples) -> None:
    samples.values = [each for each in samples.values if each.part == "read"]

    assert list(plots(samples)) == ["read"]
    assert plots(Samples()) == {}


@pytest.mark.parametrize("part", ["ingest", "read", "long"])
def test_a_plot_is_valid_xml_that_tells_its_subjects_and_is_the_same_each_time(samples: Samples, part: str) -> None:
    drawn = svg(plots(samples)[part])

    told = [each.text for each in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - ours
    assert "callfold" in " ".join(filter(None, told))
    assert svg(plots(samples)[part]) == drawn
    assert b"<dc:date>" not in drawn
