"""The transcript of a call."""

from typing import Any

from tests.support.events.makers import STARTED, Json, event, record


def turn(content: str, at: int = STARTED, **data: Any) -> Json:
    return event("transcript.turn", at=at, content=content, **data)


def transcript_of(*bodies: Json) -> str:
    transcript = record(*bodies)["transcript"]
    assert isinstance(transcript, str)
    return transcript


def test_the_transcript_has_a_line_for_each_turn() -> None:
    assert transcript_of(turn("Bye", at=STARTED + 1), turn("Hello")) == "Hello\nBye"


def test_two_turns_may_have_the_same_words() -> None:
    assert transcript_of(turn("Yes"), turn("Yes")) == "Yes\nYes"


def test_an_empty_turn_is_a_turn_without_a_line() -> None:
    found = record(turn("Yes"), turn(""), turn("No"))

    assert (found["transcript"], len(found["transcript_object"])) == ("Yes\nNo", 3)


def test_a_turn_has_its_role_its_time_and_its_words() -> None:
    word = {"word": "Hi", "start": STARTED + 7, "sure": 0.9}

    turns = record(turn("Hi", role="agent", words=[word, {"word": "!"}]))["transcript_object"]

    words = [{"word": "Hi", "start": STARTED + 7, "end": None}, {"word": "!", "start": None, "end": None}]
    assert turns == [{"role": "assistant", "content": "Hi", "timestamp": STARTED + 7, "words": words}]


def test_another_role_is_kept_in_lower_case() -> None:
    assert record(turn("Hi", role="Supervisor"))["transcript_object"][0]["role"] == "supervisor"


def test_the_time_of_a_turn_is_explicit_or_of_its_first_word_or_of_the_event() -> None:
    word = {"word": "Hi", "start": STARTED + 2.9}

    turns = record(turn("a", timestamp=STARTED + 1, words=[word]), turn("b", words=[word]), turn("c"))

    assert [found["timestamp"] for found in turns["transcript_object"]] == [STARTED, STARTED + 1, STARTED + 2]


def test_turns_are_sorted_by_their_own_time() -> None:
    assert transcript_of(turn("second", timestamp=STARTED + 5), turn("first", at=STARTED + 9, timestamp=STARTED)) == (
        "first\nsecond"
    )


def test_turns_of_one_time_are_sorted_by_ordering_key() -> None:
    later = turn("later", at=STARTED + 1, timestamp=STARTED)

    assert transcript_of(later, turn("earlier", timestamp=STARTED)) == "earlier\nlater"


def test_a_turn_that_is_not_final_is_not_shown() -> None:
    assert transcript_of(turn("Hel", turn_id="t", revision=9, final=False), turn("Hello", turn_id="t")) == "Hello"


def test_a_higher_revision_wins_over_a_later_lower_one() -> None:
    higher = turn("Hello", at=STARTED, turn_id="t", revision=1)

    assert transcript_of(higher, turn("Hallo", at=STARTED + 9, turn_id="t")) == "Hello"


def test_of_equal_revisions_the_latest_wins() -> None:
    assert transcript_of(turn("b", at=STARTED + 1, turn_id="t"), turn("a", turn_id="t", revision=0)) == "b"


def test_a_retraction_removes_every_revision_up_to_its_own() -> None:
    retracted = event("transcript.retracted", at=STARTED, turn_id="t", revision=1)

    assert transcript_of(retracted, turn("a", turn_id="t"), turn("b", at=STARTED + 9, turn_id="t", revision=1)) == ""
    assert transcript_of(retracted, turn("c", turn_id="t", revision=2)) == "c"


def test_equal_turn_ids_of_two_sources_are_two_turns() -> None:
    both = [turn(name, turn_id="t", source=name) for name in ("/a", "/b")]

    assert transcript_of(*both, event("transcript.retracted", source="/b", turn_id="t", revision=0)) == "/a"


def test_a_turn_without_an_id_cannot_be_replaced_or_retracted() -> None:
    nameless = turn("a", id="t")
    named = turn("b", at=STARTED + 1, turn_id="t", revision=1)
    retracted = event("transcript.retracted", turn_id="t", revision=0)

    assert transcript_of(nameless, named, retracted) == "a\nb"
