"""An event that the log vouches for is the same event, parsed or read in full."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from shared.calls.decode_document import decode_document
from shared.contract.decode_event import Event, InvalidEvent, decode_logged, decode_sent
from shared.contract.payloads import TYPES
from shared.contract.strict.vouching import WITH_CARE, trusted
from shared.contract.timestamps import LATEST_MS
from shared.store.ids import documents
from shared.store.models import SourcePartition
from tests.support.events.makers import STARTED, event, raw
from tests.support.events.odd_events import almost_as_read, odd_events, same
from tests.support.events.strategies import events
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY

SENT = events(opt_out=True).map(raw) | odd_events() | almost_as_read()


def ordered(read: Event | InvalidEvent) -> Any:
    """Return the event with the fields of its `data` in one order: of a type of the contract nothing reads it."""
    if isinstance(read, Event) and read.type in TYPES:
        return read._replace(data=sorted(read.data.items()))
    return read


@given(SENT, st.sampled_from([STARTED, LATEST_MS]))
@example(raw(event("transcript.turn", timestamp=float(STARTED))), LATEST_MS)
@example(raw(event("transcript.turn", interrupted=1, revision=1.0)), LATEST_MS)
@example(raw(event("usage.reported", quantity="5.00")), LATEST_MS)
@example(
    raw(event("transcript.turn", words=[{"start": STARTED, "end": STARTED, "word": "in another order"}])), LATEST_MS
)
def test_a_vouched_event_is_the_same_parsed_and_read_in_full(value: bytes, arrival: int) -> None:
    sent, how = decode_sent(value, (), arrival)
    if how == WITH_CARE or isinstance(sent, InvalidEvent):
        return

    read = trusted(sent.raw, how)

    assert same(ordered(read), ordered(sent))
    assert same(ordered(read), ordered(decode_logged(sent.raw)))
    assert not read.problems


@given(st.lists(SENT, min_size=1, max_size=5))
def test_a_document_is_the_same_vouched_for_or_not(values: list[bytes]) -> None:
    found = [decode_sent(value, (), LATEST_MS) for value in values]
    logged = [(number, read.raw, how) for number, (read, how) in enumerate(found) if isinstance(read, Event)]

    for document in documents(CALL, SourcePartition("t", 0), logged, LOG_ID_HMAC_KEY):
        read = decode_document(document)

        assert same([*map(ordered, read)], [ordered(decode_logged(each)) for each in document.events])
