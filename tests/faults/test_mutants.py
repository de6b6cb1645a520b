"""The list of mutants is complete, and a proof that fails for another reason finds none. They run by `make mutants`.

The four that a takeover finds run here too.
"""

import asyncio
from pathlib import Path

import pytest

from shared.contract.topics import Topics
from tests.mutants.catalogue import Mutant, all_mutants, controls
from tests.mutants.promises import ROOT, WITHOUT_A_MUTANT, Promise, rows
from tests.mutants.proofs import NoVerdict, OneTest, failures, taken_over
from tests.mutants.table import rows as documented
from tests.mutants.worker.mistakes import Mistake
from tests.support.events.records import by_call
from tests.support.worker.takeover import Verdict
from tests.support.worker.takeover_load import earlier, later

FOUND = Mutant("m", Promise.REBUILT, OneTest("tests/x.py::test_y"), finds=r"^AssertionError: assert \{")


def test_each_promise_of_the_decision_has_a_mutant_which_a_proof_of_its_row_finds() -> None:
    broken = {mutant.promise: set[str]() for mutant in all_mutants()}
    for mutant in all_mutants():
        broken[mutant.promise].add(mutant.proof.file)

    for guaranteed, shown_by in rows():
        (promise,) = [promise for promise in Promise if guaranteed.startswith(promise)]
        assert (promise in broken) != (promise in WITHOUT_A_MUTANT), promise
        assert all(f"`{file}`" in shown_by for file in broken.get(promise, ())), promise
    assert len(list(rows())) == len(Promise)


def test_each_mistake_of_the_worker_is_in_the_list_and_the_list_in_the_documentation() -> None:
    names = [mutant.name for mutant in all_mutants()]

    assert {mistake.replace("_", " ") for mistake in Mistake} <= set(names)
    assert len(names) == len(set(names))
    text = (ROOT / "docs" / "reliability.md").read_text()
    assert "\n".join(documented()) in text


def test_a_control_of_each_proof_is_run() -> None:
    controlled = {control.proof.file for control in controls()}

    assert {mutant.proof.file for mutant in all_mutants()} <= controlled


@pytest.mark.parametrize(
    ("findings", "wrong"),
    [
        ([], "survived"),
        (["TimeoutError"], "found something else: ['TimeoutError']"),
        (["TimeoutError", "AssertionError: assert {1: 2} == {}"], None),
    ],
)
def test_a_mutant_is_found_by_the_finding_that_is_named_and_by_no_other(findings: list[str], wrong: str | None) -> None:
    assert FOUND.verdict(findings) == wrong


def test_a_control_may_find_nothing() -> None:
    control = Mutant("control", None, FOUND.proof)

    assert control.verdict([]) is None
    assert control.verdict(["lost"]) == "found without a mistake: ['lost']"


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b'<testsuite><testcase name="test_y"><error message="no Kafka"/></testcase></testsuite>',
        b"<testsuite/>",
    ],
)
def test_a_test_that_does_not_come_to_its_end_has_found_nothing(report: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_bytes(report)

    with pytest.raises(NoVerdict):
        failures(tmp_path / "report.xml", "what pytest printed")


@pytest.mark.timeout(900)
async def test_the_verdict_of_a_takeover_finds_each_mutant(
    kafka_bootstrap: str, mongo_uri: str, name: str, tmp_path: Path
) -> None:
    mistakes = (
        Mistake.ACKNOWLEDGES_FIRST,
        Mistake.COMMITS_TOO_EARLY,
        Mistake.SKIPS_UPDATES,
        Mistake.TAKES_AN_OUTAGE_FOR_INVALID_EVENTS,
    )

    async def run(mistake: Mistake) -> Verdict:
        return await taken_over(mistake, kafka_bootstrap, mongo_uri, Topics(f"{name}-{mistake}"), tmp_path)

    verdicts = await asyncio.gather(*map(run, mistakes))

    found = dict(zip(mistakes, verdicts, strict=True))
    every_call = by_call(earlier() + later()).keys()
    assert all(verdict.wrong_records == every_call for verdict in verdicts)
    assert found[Mistake.TAKES_AN_OUTAGE_FOR_INVALID_EVENTS].wrong_dead_letters
