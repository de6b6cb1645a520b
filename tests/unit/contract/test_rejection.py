"""The reasons for which a record goes to the dead letters."""

import pytest

from shared.contract.envelope import InvalidEvent, decode
from shared.contract.rejection import Reason
from tests.support.events.invalid import ONE_OF_EACH


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_occurs(reason: Reason) -> None:
    refused = decode(ONE_OF_EACH[reason])

    assert isinstance(refused, InvalidEvent)
    assert refused.reason is reason


@pytest.mark.parametrize("reason", Reason)
def test_every_sentence_is_a_short_line_of_plain_text(reason: Reason) -> None:
    refused = decode(ONE_OF_EACH[reason])

    assert isinstance(refused, InvalidEvent)
    assert 0 < len(refused.detail) < 250
    assert refused.detail.isprintable()
