"""People who do not want to be stored, and digits that nobody may store."""

import hashlib

import pytest

from shared.contract.decode_event import Event, InvalidEvent, decode
from tests.support.events.makers import STARTED, event, raw
from tests.support.events.stories import LONG_AFTERWARDS, Story, outcome_in_every_order, wanted
from tests.support.stories import privacy


@pytest.mark.parametrize("story", privacy.STORIES, ids=str)
def test_what_must_not_be_stored_is_nowhere_and_the_rest_stays(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


@pytest.mark.parametrize("sensitive", [True, "TRUE", "cannot be read"])
def test_sensitive_digits_do_not_enter_the_log(sensitive: bool | str) -> None:
    read = decode(raw(event("call.dtmf", digits="4111111111111111", sensitive=sensitive)), arrival=LONG_AFTERWARDS)

    assert isinstance(read, Event)
    assert b"4111111111111111" not in read.raw
    assert "digits" not in read.data


def test_a_refused_event_that_opts_out_enters_the_log_as_an_opt_out_alone() -> None:
    refused = event("call.ended", id="7", sequence=3, opt_out_sensitive_data_storage=True)
    del refused["data"]["disconnection_reason"]

    read = decode(raw(refused), arrival=LONG_AFTERWARDS)

    assert isinstance(read, InvalidEvent)
    flag = read.opt_out
    assert flag is not None
    assert (flag.organization_id, flag.call_id, flag.type) == ("org-789", "call-456", "call.updated")
    assert (flag.time, flag.ordering_key.sequence, flag.ordering_key.source) == (STARTED, "", "/callfold/opt-out")
    assert flag.ordering_key.id == hashlib.sha256(b"/twilio/AC0001\x007").hexdigest()
    assert (flag.data, flag.opts_out) == ({"opt_out_sensitive_data_storage": True}, True)


def test_a_refused_event_that_does_not_opt_out_leaves_nothing() -> None:
    read = decode(raw(event("call.dtmf", digits=None)), arrival=LONG_AFTERWARDS)

    assert isinstance(read, InvalidEvent)
    assert read.opt_out is None
