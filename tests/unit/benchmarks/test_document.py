"""What docs/performance.md and the README say was measured is what is recorded; what is missed is told of."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.document import MISSED, PARTS, UNWRITTEN, performance, tables, unwritten
from benchmarks.plots import plots
from benchmarks.samples import Run, Samples
from benchmarks.verdicts import judge
from benchmarks.writing import DOCUMENT, README, RECORDED, ROOT, record, rendered

SLOW = "Events/s, 100 events a call, one worker, over Kafka Connect, insert"
TEMPLATE = "".join(f"<!-- {name} -->\n<!-- /{name} -->\n" for name in ("targets", *PARTS, "machine"))
EMPTY = f"# Performance\n\n{MISSED}\n\nA paragraph each.\n\n## Figures\n\n{TEMPLATE}"
MACHINE = {"processor": "a fast one", "cores": "2"}


def drained(ours: float) -> Samples:
    """Return a run of `ingest` in which Kafka Connect stores 10,000 events/s."""
    found = Samples()
    for subject, rate in (("callfold, one worker", ours), ("Kafka Connect, insert", 10_000.0)):
        found.add("ingest", "100 events a call", subject, 0, events_per_second=rate)
    found.runs["ingest"] = Run(1, False, 90.0, MACHINE)
    return found


def document(samples: Samples, text: str = EMPTY) -> str:
    return performance(text, samples, "performance")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the two documents as they are, and nothing recorded."""
    for path in (DOCUMENT, README, RECORDED):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    for path in (DOCUMENT, README):
        (tmp_path / path).write_text((ROOT / path).read_text())
    return tmp_path


@pytest.mark.parametrize("path", [DOCUMENT, README])
def test_a_document_says_what_is_recorded(path: Path) -> None:
    texts = rendered(ROOT, Samples.read(ROOT / RECORDED))

    assert (ROOT / path).read_text() == texts[path], "run python -m benchmarks --render"


def test_there_is_a_plot_for_each_part_that_is_recorded_and_has_one() -> None:
    drawn = sorted((ROOT / RECORDED).parent.glob("*.svg"))

    assert {path.stem for path in drawn} == set(plots(Samples.read(ROOT / RECORDED)))
    for path in drawn:
        assert ET.fromstring(path.read_bytes()).tag.endswith("svg")  # noqa: S314 - ours


def test_every_target_that_is_missed_has_its_paragraph() -> None:
    recorded = judge(Samples.read(ROOT / RECORDED))

    assert unwritten((ROOT / DOCUMENT).read_text(), recorded) == []


def test_a_missed_target_gets_a_place_that_counts_only_when_it_is_filled_in() -> None:
    slow = drained(24_000.0)

    text = document(slow)

    assert unwritten(text, judge(slow)) == [SLOW]
    assert f"### {SLOW}\n\n{UNWRITTEN}\n" in text
    assert document(slow, text) == text
    assert unwritten(text.replace(UNWRITTEN, "By 4 %: decoding takes it."), judge(slow)) == []
    assert unwritten(text.replace(UNWRITTEN, ""), judge(slow)) == [SLOW]


def test_a_paragraph_of_a_target_that_is_no_longer_missed_is_in_the_way() -> None:
    text = document(drained(24_000.0)).replace(UNWRITTEN, "By 4 %: decoding takes it.")

    assert unwritten(document(drained(25_000.0), text), judge(drained(25_000.0))) == [SLOW]


def test_figures_take_the_place_of_earlier_ones() -> None:
    text = document(drained(26_000.0), document(drained(40_000.0)))

    assert "| 100 events a call | callfold, one worker | 26,000 |" in text
    assert f"| {SLOW} | times | at least 2.5 | 2.60 | reached |" in text
    assert "| processor | a fast one |" in text
    assert "![ingest](performance/ingest.svg)" in text
    assert "40,000" not in text
    assert text.count("Not measured.") == len(PARTS) - 1


def test_a_document_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="the markers of scale are missing"):
        document(Samples(), EMPTY.replace("<!-- /scale -->", ""))
    with pytest.raises(ValueError, match="What is missed"):
        document(Samples(), EMPTY.replace(MISSED, ""))


def test_each_machine_is_told_once_with_its_parts() -> None:
    samples = drained(1.0)
    samples.runs["read"] = Run(3, False, 1.0, MACHINE | {"load at the start": "0.5"})
    samples.runs["long"] = Run(3, False, 1.0, MACHINE | {"cores": "4"})

    text = tables(samples)

    assert "| ingest, read | |" in text
    assert "| load at the start | 0.5 (read) |" in text
    assert "| long | |" in text


def test_a_part_that_failed_says_so() -> None:
    samples = drained(1.0)
    samples.runs["ingest"] = Run(3, True, 1.0, MACHINE, "TimeoutError: no document came")

    assert "**It failed, and is not whole:** TimeoutError: no document came" in tables(samples)


def test_recording_keeps_what_was_not_measured_anew_or_failed(checkout: Path) -> None:
    first, second = drained(30_000.0), drained(50_000.0)
    for samples, failed in ((first, ""), (second, "")):
        samples.add("fresh", "500 events/s", "callfold", 0, p99_ms=samples.values[0].value / 1000)
        samples.runs["fresh"] = Run(1, False, 1.0, MACHINE, failed)
    second.runs["ingest"] = Run(1, False, 1.0, MACHINE, "AssertionError: records differ")

    record(first, checkout)
    record(second, checkout)

    recorded = Samples.read(checkout / RECORDED)
    assert {each.subject: each.value for each in recorded.values if each.part == "ingest"}[
        "callfold, one worker"
    ] == 30_000.0
    assert [each.value for each in recorded.values if each.part == "fresh"] == [50.0]
    assert rendered(checkout, recorded)[DOCUMENT] == (checkout / DOCUMENT).read_text()
    assert "| 3 | at least 2.5 |" in (checkout / README).read_text()
    assert (checkout / "docs/performance/ingest.svg").exists()
