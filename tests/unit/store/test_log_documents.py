"""A document of the event log in MongoDB, and an edited one."""

import pytest

from shared.contract.strict.vouching import ADAPTED, AS_SENT, WITH_CARE
from shared.store.ids import documents
from shared.store.models import LogDocument, SourcePartition
from shared.store.mongo.documents import log_document, logged_of
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY


def vouching(*readings: int) -> LogDocument:
    events = [(offset, b"{}", reading) for offset, reading in enumerate(readings)]
    return next(documents(CALL, SourcePartition("t", 0), events, LOG_ID_HMAC_KEY))


@pytest.mark.parametrize("readings", [(AS_SENT, AS_SENT), (AS_SENT, ADAPTED, WITH_CARE), (WITH_CARE,)])
def test_a_document_is_read_back(readings: tuple[int, ...]) -> None:
    document = vouching(*readings)

    assert logged_of(log_document(document)) == document


@pytest.mark.parametrize("vouched", [b"\x00", bytes(2), bytes(4)])
def test_one_that_vouches_for_another_number_of_events_is_damaged(vouched: bytes) -> None:
    edited = {**log_document(vouching(AS_SENT, AS_SENT, ADAPTED)), "vouched": vouched}

    with pytest.raises(ValueError, match="damaged"):
        logged_of(edited)
