"""docs/performance.md shows what is recorded; figures as tables and plots."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.render import (
    DOCUMENT,
    PARTS,
    RECORDED,
    ROOT,
    UNEXPLAINED,
    document,
    machines,
    measured_table,
    missed_table,
    number,
    part_text,
    plots,
    record,
    spread,
    targets_table,
)
from benchmarks.samples import Figure, Run, Samples

EMPTY = "".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in ("targets", "missed", *PARTS, "machine"))
ONE_WORKER = "Events/s, 100 events a call, one worker, over Kafka Connect, insert"
MACHINE = {"processor": "a fast one", "cores": "2"}


def drained(ours: float) -> Samples:
    """Return a run of `ingest` in which Kafka Connect stores 10,000 events/s."""
    found = Samples()
    for subject, rate in (("callfold, one worker", ours), ("Kafka Connect, insert", 10_000.0)):
        found.add("ingest", "100 events a call", subject, 0, events_per_second=rate)
    found.runs["ingest"] = Run(1, False, 90.0, MACHINE)
    return found


@pytest.fixture
def all_parts() -> Samples:
    found = Samples()
    for round_ in range(3):
        for case in ("100 events a call", "700 events a call"):
            for subject, rate in (("callfold, one worker", 25_000), ("Faust, tutorial", 480), ("limit: decode", 9e6)):
                found.add("ingest", case, subject, round_, events_per_second=rate + round_)
        for case in ("final, 1 connection", "final, 16 connections", "live, 1 connection"):
            for subject in ("callfold", "tutorial"):
                found.add("read", case, subject, round_, requests_per_second=800 + round_)
        for events in (10_000, 100):
            found.add("long", f"{events:,} events", "callfold", round_, cpu_us_per_event=40)
            found.add("long", f"{events:,} events", "$push", round_, cpu_us_per_event=events)
        found.add("long", "50,000 events", "$push", round_, failed_at_events=38_000 + round_)
    return found


def texts(plot: bytes) -> str:
    found = ET.fromstring(plot).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314 - made here
    return "\n".join(filter(None, (each.text for each in found)))


def test_the_document_shows_what_is_recorded() -> None:
    text = (ROOT / DOCUMENT).read_text()

    assert text == document(text, Samples.read(ROOT / RECORDED)), "run python -m benchmarks --render"


def test_there_is_a_plot_for_each_recorded_part_that_has_one() -> None:
    drawn = sorted((ROOT / RECORDED).parent.glob("*.svg"))

    assert {path.stem for path in drawn} == set(plots(Samples.read(ROOT / RECORDED)))
    for path in drawn:
        assert ET.fromstring(path.read_bytes()).tag.endswith("svg")  # noqa: S314 - made here


def test_every_missed_target_is_explained() -> None:
    assert UNEXPLAINED not in (ROOT / DOCUMENT).read_text()


def test_a_missed_target_without_a_reason_asks_for_one() -> None:
    samples = Samples()
    samples.add("ingest", "100 events a call", "callfold, one worker", 0, peak_mb=5_000.0)

    (row,) = missed_table(samples).rows

    assert row == ["Memory of the worker", "at most 300", "5,000", UNEXPLAINED, UNEXPLAINED]


def test_missed_targets_with_the_same_reasons_share_a_row_and_reached_ones_have_none() -> None:
    samples = drained(15_000.0)
    for subject, rate in (("callfold, one worker", 10_000.0), ("Kafka Connect, insert", 10_000.0)):
        samples.add("ingest", "700 events a call", subject, 0, events_per_second=rate)

    (row,) = missed_table(samples).rows

    assert list(row[1:3]) == ["at least 1.6<br>at least 1.6", "1.50<br>1"]
    assert missed_table(drained(16_000.0)).rows == []


def test_figures_replace_earlier_ones() -> None:
    text = document(document(EMPTY, drained(40_000.0)), drained(26_000.0))

    assert "| 100 events a call | callfold, one worker | 26,000 |" in text
    assert f"| {ONE_WORKER} | times | 2 | at least 1.6 | 2.60 | reached |" in text
    assert "| processor | a fast one |" in text
    assert "![ingest](performance/ingest.svg)" in text
    assert "40,000" not in text
    assert text.count("Not measured.") == len(PARTS) - 1


def test_a_document_without_a_marker_is_rejected() -> None:
    with pytest.raises(ValueError, match="the markers of scale are missing"):
        document(EMPTY.replace("<!-- /scale -->", ""), Samples())


def test_each_machine_is_described_once_with_its_parts() -> None:
    samples = drained(1.0)
    samples.runs["read"] = Run(3, False, 1.0, MACHINE | {"load at the start": "0.5"})
    samples.runs["long"] = Run(3, False, 1.0, MACHINE | {"cores": "4"})

    text = machines(samples)

    assert "| ingest, read |  |" in text
    assert "| load at the start | 0.5 (read) |" in text
    assert "| long |  |" in text


def test_a_failed_part_is_marked() -> None:
    samples = drained(1.0)
    samples.runs["ingest"] = Run(3, True, 1.0, MACHINE, "TimeoutError: no document came")

    assert "**It failed and is incomplete:** TimeoutError: no document came" in part_text(samples, "ingest")


def test_recording_keeps_parts_that_were_not_measured_again_or_failed(tmp_path: Path) -> None:
    (tmp_path / RECORDED).parent.mkdir(parents=True)
    (tmp_path / DOCUMENT).write_text(EMPTY)
    first, second = drained(30_000.0), drained(50_000.0)
    for samples in (first, second):
        samples.add("fresh", "500 events/s", "callfold", 0, p99_ms=samples.values[0].value / 1000)
        samples.runs["fresh"] = Run(1, False, 1.0, MACHINE)
    second.runs["ingest"] = Run(1, False, 1.0, MACHINE, "AssertionError: records differ")

    record(first, tmp_path)
    record(second, tmp_path)

    recorded = Samples.read(tmp_path / RECORDED)
    assert [each.value for each in recorded.values if each.subject == "callfold, one worker"] == [30_000.0]
    assert [each.value for each in recorded.values if each.part == "fresh"] == [50.0]
    assert "| 500 events/s | callfold | 50 |" in (tmp_path / DOCUMENT).read_text()
    assert (tmp_path / RECORDED).with_name("ingest.svg").exists()


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
def test_a_number_has_three_digits_at_most_after_the_point(value: float, text: str) -> None:
    assert number(value) == text


def test_a_spread_is_shown_where_there_is_one() -> None:
    assert spread(Figure(2.5, 1.0, 3.0, 3)) == "2.50 (1 to 3)"
    assert spread(Figure(2.5, 2.5, 2.5, 3)) == "2.50"


def test_a_part_has_a_row_for_each_subject_and_shows_missing_rounds_and_figures() -> None:
    samples = Samples()
    for round_, rate in enumerate((24_000.0, 26_000.0, 25_000.0)):
        samples.add(
            "ingest", "100 events a call", "callfold, one worker", round_, events_per_second=rate, peak_mb=210.5
        )
    samples.add("ingest", "100 events a call", "Kafka Connect, insert", 0, events_per_second=10_000.0)
    samples.runs["ingest"] = Run(3, False, 60.0, {})

    lines = measured_table(samples, "ingest").markdown().splitlines()

    assert lines == [
        "| case | pipeline | events per second | peak MB |",
        "| --- | --- | ---: | ---: |",
        "| 100 events a call | callfold, one worker | 25,000 (24,000 to 26,000) | 210 |",
        "| 100 events a call | Kafka Connect, insert | 10,000, 1 of 3 rounds | – |",  # noqa: RUF001
    ]


def test_targets_are_shown_with_their_verdicts() -> None:
    samples = drained(15_000.0)
    for subject, rate in (("callfold, two workers", 30_000.0), ("Kafka Streams", 7_500.0)):
        samples.add("ingest", "100 events a call", subject, 0, events_per_second=rate)

    rows = {row[0]: list(row[3:]) for row in targets_table(samples).rows}

    assert rows[ONE_WORKER] == ["at least 1.6", "1.50", "missed"]
    assert rows["Events/s, 100 events a call, two workers, over Kafka Streams"] == [
        "at least 2",
        "4",
        "reached",
    ]
    assert rows["Memory of the API"] == ["at most 150", "not measured", "not measured"]
    assert "Memory of the API" not in [row[0] for row in targets_table(samples, ["ingest"]).rows]


def test_bars_show_pipelines_by_workload_and_no_limits(all_parts: Samples) -> None:
    shown = texts(plots(all_parts)["ingest"]())

    for text in ("100 events a call: events/s", "700 events a call: events/s", "Faust, tutorial", "25,001"):
        assert text in shown
    assert "limit" not in shown


def test_servers_are_compared_at_sixteen_connections_where_that_was_measured(all_parts: Samples) -> None:
    shown = texts(plots(all_parts)["read"]())

    assert "final, 16 connections: requests/s" in shown
    assert "live, 1 connection: requests/s" in shown
    assert "final, 1 connection" not in shown


def test_curves_show_where_a_pipeline_fails(all_parts: Samples) -> None:
    shown = texts(plots(all_parts)["long"]())

    assert "fails at 38,001 events" in shown
    assert "$push" in shown
    assert "as calls go on" not in shown


def test_a_plot_is_the_same_each_time_and_what_was_not_measured_has_none(all_parts: Samples) -> None:
    first, second = ({part: draw() for part, draw in plots(all_parts).items()} for _ in range(2))

    assert first == second
    assert first.keys() == {"ingest", "read", "long"}
    assert b"<dc:date>" not in first["read"]
    assert plots(drained(1.0)).keys() == {"ingest"}
    assert plots(Samples()) == {}
