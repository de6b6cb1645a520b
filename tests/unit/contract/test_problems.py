"""Problems: one for each kind and field."""

import pytest

from shared.contract.problems import MOST_FIELDS, Problem, ProblemKind, distinct
from tests.support.events.makers import Json, accepted, event, raw
from tests.support.reference.reading_events.reading import read_call


def test_of_problems_of_one_kind_and_field_the_first_stays() -> None:
    first = Problem(ProblemKind.FIELD_UNREADABLE, "words", "one")
    other_kind = Problem(ProblemKind.TIME_AHEAD, "words", "two")
    other_field = Problem(ProblemKind.FIELD_UNREADABLE, None, "three")
    again = Problem(ProblemKind.FIELD_UNREADABLE, "words", "four")

    assert distinct([first, other_kind, other_field, again]) == (first, other_kind, other_field)


@pytest.mark.parametrize("shift", [0, 7])
def test_of_a_kind_that_many_fields_have_one_stands_for_all(shift: int) -> None:
    other = Problem(ProblemKind.TIME_AHEAD, "1", "other")
    many = [Problem(ProblemKind.NUMBER_AS_TEXT, str(number), "same") for number in range(MOST_FIELDS + 1)]

    joined = distinct([*many[shift:], other, *many[:shift]])

    assert joined == (Problem(ProblemKind.NUMBER_AS_TEXT, None, "same"), other)
    assert distinct([*many[1:], other]) == (*many[1:], other)


@pytest.mark.parametrize("fields", [MOST_FIELDS, MOST_FIELDS + 1, 3_000])
def test_so_it_is_in_an_event_and_by_the_plain_rule(fields: int) -> None:
    numbers: Json = {f"n{at}": 2**70 for at in range(fields)}
    cut: Json = {f"c{at}": "\ud83d" for at in range(fields)}
    for body in (event("x", id="1", **numbers), event("x", id="1", **cut), event("call.note", id="1", **cut)):
        found = {(problem.kind.value, problem.field) for problem in accepted(raw(body)).problems}

        assert len(found) == (fields if fields <= MOST_FIELDS else 1)
        assert found == {(problem["kind"], problem["field"]) for problem in read_call([body]).problems}
