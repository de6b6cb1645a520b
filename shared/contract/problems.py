"""The closed sets of what can be wrong: with a record that is refused, and with an event or a call that stands.

The problems are those of docs/record.md, Problems.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """The reasons for which a record becomes a dead letter."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_DEEP = "too_deep"
    NOT_CLOUDEVENTS = "not_cloudevents"
    NOT_BASE64 = "not_base64"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    OUT_OF_BOUNDS = "out_of_bounds"
    BATCH_TOO_LARGE = "batch_too_large"
    UNREADABLE_BATCH = "unreadable_batch"


class ProblemKind(StrEnum):
    """The kinds of problems. Those of reading come first, then those that the events of a call make together."""

    FIELD_UNREADABLE = "field_unreadable"
    UNKNOWN_FIELD = "unknown_field"
    TIME_UNREADABLE = "time_unreadable"
    TIME_AHEAD = "time_ahead"
    START_LEFT_OUT = "start_left_out"
    SURROGATE_REPLACED = "surrogate_replaced"
    KEY_LEFT_OUT = "key_left_out"
    NUMBER_AS_TEXT = "number_as_text"
    WORD_TIMES_UNREADABLE = "word_times_unreadable"
    CONFLICT = "conflict"
    END_OVERRULED = "end_overruled"
    END_UNDONE = "end_undone"
    END_BEFORE_START = "end_before_start"
    TALK_AFTER_END = "talk_after_end"
    DURATION_DISAGREES = "duration_disagrees"
    UNKNOWN_DIRECTION = "unknown_direction"
    UNRATED_PRODUCT = "unrated_product"
    USAGE_IGNORED = "usage_ignored"
    CURRENCY_WITHOUT_RATE = "currency_without_rate"
    TURN_NOT_FINAL = "turn_not_final"


STORED_KINDS = tuple(kind for kind in ProblemKind if kind is not ProblemKind.UNKNOWN_FIELD)
"""The kinds that a fold finds; unknown fields are ignored but by `callfold validate`."""


class Problem(NamedTuple):
    """One fault of an event.

    `field` is the top-level field of `data`, None for the envelope and for `data` as a whole. `detail` is a sentence
    for the publisher's engineer; it quotes nothing that may be private.
    """

    kind: ProblemKind
    field: str | None
    detail: str


MOST_FIELDS = 20
"""Of how many fields of one event each is named that has the same kind of problem.

Types of the contract have fewer fields: more are those of an unknown type, or fields that nobody reads.
"""


def distinct(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return one problem for each kind and field, the first of each.

    Of a kind that more than `MOST_FIELDS` fields have, one stands for all, without a field.
    """
    problems = tuple(problems)
    if len(problems) <= 1:
        return problems
    first: dict[tuple[ProblemKind, str | None], Problem] = {}
    for problem in problems:
        first.setdefault((problem.kind, problem.field), problem)
    fields = Counter(kind for kind, field in first if field is not None)
    if max(fields.values(), default=0) <= MOST_FIELDS:
        return tuple(first.values())
    joined: dict[tuple[ProblemKind, str | None], Problem] = {}
    for problem in first.values():
        field = None if fields[problem.kind] > MOST_FIELDS else problem.field
        joined.setdefault((problem.kind, field), problem._replace(field=field))
    return tuple(joined.values())
