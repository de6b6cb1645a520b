"""Words, fields and ids as providers write them."""

import uuid

import pytest

from shared.contract.decode_event import Event, decode
from shared.contract.ids import call_key
from tests.support.events.makers import event, raw, record, rejected
from tests.support.events.stories import LONG_AFTERWARDS, Story, outcome_in_every_order, wanted
from tests.support.stories import fields

NAMESPACE = uuid.UUID("3c9a1c0e-8a83-5d5b-9c0b-6f3f0a6f1d42")


@pytest.mark.parametrize("story", fields.STORIES, ids=str)
def test_a_field_is_read_or_fails_alone(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


def test_half_an_emoji_is_replaced() -> None:
    value = raw(event("transcript.turn", content="cut")).replace(b"cut", rb"cut \ud83d")

    read = decode(value, arrival=LONG_AFTERWARDS)

    assert isinstance(read, Event)
    assert read.data["content"] == "cut \N{REPLACEMENT CHARACTER}"
    assert [problem.kind for problem in read.problems] == ["surrogate_replaced"]


@pytest.mark.parametrize("call", ["a/f0NlZjE=@10.0.0.1", "a b", "a?x=1#y", "a%2Fz", "+é😀", 'a;q="1"<sip>', "A", "..."])
def test_a_call_id_of_any_characters_names_the_call(call: str) -> None:
    found = record(event("call.started", call=call))

    assert (found["call_id"], found["id"]) == (call, str(uuid.uuid5(NAMESPACE, f"org-789/{call}")))


@pytest.mark.parametrize("call", [".", "..", "", "a\nb", "c" * 257])
def test_a_call_id_that_no_address_can_have_is_a_dead_letter(call: str) -> None:
    _, detail = rejected(raw(event("call.started", call=call)))

    assert "subject" in detail


def test_the_key_of_a_call_escapes_what_would_divide_it() -> None:
    assert call_key("org-789", "a/b%c d") == "org-789/a%2Fb%25c d"
