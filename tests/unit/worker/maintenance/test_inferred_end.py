"""When an idle call is ended, and the event that ends it."""

from collections.abc import Iterable

import pytest

from services.worker.maintenance.idle_calls import end_record
from services.worker.maintenance.inferred_end import SOURCE, OpenCall, inferred_end, open_call
from shared.config.policies import Policy
from shared.contract.decode_event import Event, decode
from shared.contract.timestamps import LATEST_MS, milliseconds
from shared.fold.call import NoEvents
from tests.support.events.makers import STARTED, Json, decoded, event, raw

POLICY = Policy(close_ongoing_seconds=1, close_registered_seconds=20, close_scheduled_seconds=300)
ARRIVED = STARTED + 5_000_000
SCHEDULED, CREATED, BEGUN = event("call.scheduled"), event("call.created"), event("call.started")
LATEST = event("transcript.turn", at=STARTED + 7_123)


def of(*bodies: Json) -> OpenCall:
    call = open_call(decoded(bodies))
    assert call is not None
    return call


def planned(at: int) -> Json:
    return event("call.scheduled", start_timestamp=at)


# When


@pytest.mark.parametrize(
    ("bodies", "seconds"),
    [([BEGUN], 1), ([CREATED, LATEST], 1), ([CREATED], 20), ([SCHEDULED, CREATED], 20), ([SCHEDULED], 300)],
)
def test_each_status_has_a_timeout_from_the_last_arrival_on(bodies: list[Json], seconds: int) -> None:
    assert of(*bodies).due(ARRIVED, POLICY) == ARRIVED + seconds * 1_000


@pytest.mark.parametrize(("start", "since"), [(ARRIVED + 86_400_000, ARRIVED + 86_400_000), (ARRIVED - 9, ARRIVED)])
def test_the_timeout_of_a_scheduled_call_starts_at_its_planned_start(start: int, since: int) -> None:
    assert of(planned(start)).due(ARRIVED, POLICY) == since + 300_000


def test_a_planned_start_does_not_count_once_the_call_has_begun() -> None:
    assert of(planned(ARRIVED + 86_400_000), BEGUN).due(ARRIVED, POLICY) == ARRIVED + 1_000


@pytest.mark.parametrize("kind", ["call.ended", "call.failed"])
def test_a_call_with_an_end_is_not_open(kind: str) -> None:
    assert open_call(decoded([BEGUN, event(kind)])) is None


def test_a_call_with_an_inferred_end_is_not_open() -> None:
    assert open_call([*decoded([BEGUN, LATEST]), ended([BEGUN, LATEST])]) is None


def test_no_events_are_an_error() -> None:
    with pytest.raises(NoEvents):
        open_call([])


# The event


def ended(bodies: Iterable[Json]) -> Event:
    """Return the event that ends the call of these events, as it is read from the topic."""
    read = decode(inferred_end(of(*bodies)), arrival=LATEST_MS)
    assert isinstance(read, Event)
    return read


def test_the_event_is_an_inferred_end_at_the_time_of_the_latest_event() -> None:
    end = ended([LATEST, BEGUN, event("call.updated", at=STARTED + 7_122)])

    assert (end.organization_id, end.call_id, end.type) == ("org-789", "call-456", "call.ended")
    assert (end.time, end.ordering_key.source) == (milliseconds(LATEST["time"]), SOURCE)
    assert end.data == {"disconnection_reason": "inactivity", "inferred": True}


@pytest.mark.parametrize("call", ["c", "ä" * 256, 'quote " and \\', "x" * 256])
def test_the_event_is_valid_whatever_the_call_id(call: str) -> None:
    record = end_record(of(event("call.started", call=call, organization="o" * 128)), "calls.telephony")

    read = decode(record.value, arrival=LATEST_MS)
    assert isinstance(read, Event)
    assert (read.call_id, record.key) == (call, call.encode())


def test_the_same_call_and_time_make_the_same_event_byte_for_byte() -> None:
    events = [BEGUN, LATEST, CREATED]

    bodies = {inferred_end(of(*order)) for order in (events, events[::-1], [*events, *events])}
    bodies.add(inferred_end(of(BEGUN, event("call.dtmf", at=STARTED + 7_123))))

    assert len(bodies) == 1


def test_another_time_or_call_makes_another_event() -> None:
    later = event("transcript.turn", at=STARTED + 7_124)
    others = [[BEGUN, later], [event("call.started", call="call-457", at=STARTED + 7_123)]]
    elsewhere = event("call.started", organization="org-790", at=STARTED + 7_123)

    ids = {ended(bodies).ordering_key.id for bodies in ([BEGUN, LATEST], *others, [elsewhere])}

    assert len(ids) == 4


def test_a_redacted_log_makes_the_same_open_call() -> None:
    flag = event("call.updated", opt_out_sensitive_data_storage=True)
    whole = decoded([BEGUN, LATEST, flag])
    redacted = [each._replace(redacted_at=1) for each in whole]

    assert open_call(redacted) == open_call(whole)
    assert raw(LATEST) in {each.raw for each in whole}
