"""The reasons for which a record becomes a dead letter."""

import pytest

from shared.contract.envelope import InvalidEvent, decode
from shared.contract.rejection import Reason
from tests.support.events.invalid import ONE_OF_EACH


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_occurs(reason: Reason) -> None:
    rejected = decode(ONE_OF_EACH[reason])

    assert isinstance(rejected, InvalidEvent)
    assert rejected.reason is reason


@pytest.mark.parametrize("reason", Reason)
def test_every_sentence_is_one_short_printable_line(reason: Reason) -> None:
    rejected = decode(ONE_OF_EACH[reason])

    assert isinstance(rejected, InvalidEvent)
    assert 0 < len(rejected.detail) < 250
    assert rejected.detail.isprintable()
