"""Problems: one for each kind and field."""

from shared.contract.problems import Problem, ProblemKind, distinct


def test_of_problems_of_one_kind_and_field_the_first_stays() -> None:
    first = Problem(ProblemKind.FIELD_UNREADABLE, "words", "one")
    other_kind = Problem(ProblemKind.TIME_AHEAD, "words", "two")
    other_field = Problem(ProblemKind.FIELD_UNREADABLE, None, "three")
    again = Problem(ProblemKind.FIELD_UNREADABLE, "words", "four")

    assert distinct([first, other_kind, other_field, again]) == (first, other_kind, other_field)
