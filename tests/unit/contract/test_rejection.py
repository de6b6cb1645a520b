"""The reasons for which a record becomes a dead letter."""

import pytest

from shared.contract.rejection import OF_BATCHES, Reason
from tests.support.events.invalid import ONE_OF_EACH
from tests.support.events.makers import rejected

OF_RECORDS = [reason for reason in Reason if reason not in OF_BATCHES]


@pytest.mark.parametrize("reason", OF_RECORDS)
def test_every_reason_occurs(reason: Reason) -> None:
    assert rejected(ONE_OF_EACH[reason])[0] is reason


@pytest.mark.parametrize("reason", OF_RECORDS)
def test_every_sentence_is_one_short_printable_line(reason: Reason) -> None:
    _, sentence = rejected(ONE_OF_EACH[reason])

    assert 0 < len(sentence) < 250
    assert sentence.isprintable()
