"""The reasons for which a record goes to the dead letters."""

import pytest

from shared.complaints import Reason
from shared.events import InvalidEvent, decode
from tests.support.makers import event, raw

ONE_OF_EACH = {
    Reason.TOO_LARGE: b" " * (2**20 + 1),
    Reason.NOT_JSON: b"call ended",
    Reason.NOT_AN_OBJECT: b"[]",
    Reason.NUMBER_OUT_OF_RANGE: b'{"n": 9223372036854775808}',
    Reason.NUL_IN_KEY: rb'{"\u0000": 1}',
    Reason.TOO_DEEP: b"[" * 65 + b"]" * 65,
    Reason.NOT_CLOUDEVENTS: b"{}",
    Reason.MISSING: raw(event("call.dtmf", digits=None)),
    Reason.WRONG_TYPE: raw(event("call.dtmf", digits=27)),
    Reason.OUT_OF_BOUNDS: raw(event("call.dtmf", digits="")),
    Reason.INVALID_TIME: raw(event("call.dtmf") | {"time": "yesterday"}),
}


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
