"""What the metrics keep of a batch."""

from collections.abc import Mapping

import pytest

from services.worker.ingest.batch_metrics import Outcome, Step, outcomes
from services.worker.ingest.decode_batch import decode_batch
from services.worker.ingest.unread_records import UnreadRecords
from services.worker.metrics import WORKER
from shared.contract.event import InvalidEvent
from shared.contract.rejection import Reason
from tests.support.events.makers import STARTED, Json, event
from tests.support.store.makers import CALL
from tests.support.worker.memory_worker import PARTITIONS, MemoryWorker, Received, received

NOW = STARTED + 60_000


def counted(*records: Received | UnreadRecords, deleted: tuple[str, ...] = ()) -> dict[tuple[str, str], int]:
    found = outcomes(decode_batch(records, PARTITIONS, NOW), deleted)
    return {(kind, str(outcome)): events for (kind, outcome), events in found.items() if events}


def test_events_are_counted_by_type_and_outcome() -> None:
    note, refused = event("call.note"), event("call.ended", disconnection_reason=None)

    found = counted(*(received(body, offset=n) for n, body in enumerate([note, note, event("call.created"), refused])))

    assert found == {("call.note", "written"): 2, ("call.created", "written"): 1, ("call.ended", "dead_letter"): 1}


@pytest.mark.parametrize("value", [b"{", b"[]", b'{"type": "my own", "specversion": "1.0"}'])
def test_a_dead_letter_whose_type_is_not_read_or_is_not_of_the_contract_is_of_an_unknown_type(value: bytes) -> None:
    assert counted(Received(value)) == {("unknown", "dead_letter"): 1}


def test_an_event_of_a_type_that_the_contract_does_not_have_is_of_an_unknown_type() -> None:
    assert counted(received(event("provider.own"))) == {("unknown", "written"): 1}


def test_the_records_of_a_batch_that_cannot_be_read_are_all_counted() -> None:
    unread = UnreadRecords("calls.telephony", 1, 40, 49, 0, InvalidEvent(Reason.BATCH_TOO_LARGE, "too large"), 10)

    assert counted(unread) == {("unknown", "dead_letter"): 10}


def test_events_of_a_deleted_call_are_late() -> None:
    other = event("call.note", call="call-other")

    found = counted(received(event("call.note")), received(other, offset=1), deleted=(CALL,))

    assert found == {("call.note", "late"): 1, ("call.note", "written"): 1}


@pytest.mark.parametrize("deleted", [(), (CALL,)])
def test_what_enters_the_log_in_place_of_a_refused_event_is_counted_as_nothing(deleted: tuple[str, ...]) -> None:
    refused = event("call.ended", disconnection_reason=None, opt_out_sensitive_data_storage=True)

    assert counted(received(refused), deleted=deleted) == {("call.ended", "dead_letter"): 1}


async def observed(step: Step, *bodies: Json) -> float:
    """Return how many times a step was measured while one batch was written."""

    def count() -> float:
        return WORKER.registry.get_sample_value("callfold_batch_step_duration_seconds_count", {"step": step}) or 0.0

    before = count()
    await MemoryWorker().deliver(*bodies)
    return count() - before


@pytest.mark.parametrize(
    ("bodies", "steps"),
    [
        ((event("call.created"),) * 9, {Step.DECODE: 1, Step.INSERT: 1, Step.READ_STATES: 1, Step.MARK_STALE: 1}),
        ((event("call.ended", disconnection_reason=None),), {Step.DECODE: 1, Step.DEAD_LETTERS: 1}),
    ],
)
async def test_each_step_is_measured_once_for_a_batch(bodies: tuple[Json, ...], steps: Mapping[Step, int]) -> None:
    assert {step: await observed(step, *bodies) for step in Step} == {step: steps.get(step, 0) for step in Step}


def test_outcomes_are_named_as_the_documentation_has_them() -> None:
    assert [str(each) for each in Outcome] == ["written", "dead_letter", "late"]
