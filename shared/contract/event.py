"""The envelope that publishers are asked for, and an event as it was read."""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from shared.contract.fields import Id, Needs, SpokenText
from shared.contract.lenient import spellings
from shared.contract.problems import Problem, ProblemKind
from shared.contract.rejection import Reason

_CONTROL = r"\x00-\x1f\x7f-\x9f"
# Without control characters and `/`, a range of ids in the event log holds exactly one organization.
_ORGANIZATION = rf"^[^/{_CONTROL}]+$"
_TYPE = rf"^[^{_CONTROL}]+$"
# No path segment may be `.` or `..`: a client resolves them before it asks. (Rust's patterns have no look-ahead.)
_CALL = rf"^([^{_CONTROL}]{{3,}}|[^.{_CONTROL}][^{_CONTROL}]?|\.[^.{_CONTROL}])$"
_TEXT = (str, int)


def _name(words: str, longest: int, form: str) -> Any:
    return Needs(words, _TEXT, partial(spellings.name, longest, re.compile(form)))


CallId = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=_CALL),
    _name("a string of 1 to 256 characters without control characters, not `.` or `..`", 256, _CALL),
]
OrganizationId = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=_ORGANIZATION),
    _name("a string of 1 to 128 characters without `/` and control characters", 128, _ORGANIZATION),
]
Type = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=_TYPE),
    _name("a string of 1 to 256 characters without control characters", 256, _TYPE),
]
Sequence = Annotated[
    Annotated[str, Field(max_length=32)] | int,
    Field(union_mode="left_to_right"),
    Needs("a string or an integer of at most 32 characters", _TEXT, spellings.sequence),
]


class Envelope(TypedDict):
    """The attributes of a CloudEvent 1.0 that are read. Others are ignored."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore")  # type: ignore[misc]
    specversion: Annotated[Literal["1.0"], Field(description="`1.0`")]
    id: Id
    source: Id
    type: Type
    subject: Annotated[CallId, Field(description="The call's id")]
    time: Annotated[
        str,
        Field(json_schema_extra={"format": "date-time"}),
        Needs("an RFC 3339 time with a zone, in the years 2000 to 2100", (str,), spellings.text),
    ]
    organizationid: OrganizationId
    sequence: NotRequired[Sequence | None]
    traceparent: NotRequired[SpokenText | None]
    data: NotRequired[Any]


_CLOCK = (ProblemKind.TIME_AHEAD, ProblemKind.TIME_UNREADABLE)


class OrderingKey(NamedTuple):
    """Decides which of two conflicting facts wins: the greater key is later.

    Of `sequence` and of `id` the shorter is less, so that `t2` stands before `t10`.
    """

    time: int
    sequence_length: int
    sequence: str
    source: str
    id_length: int
    id: str


class Event(NamedTuple):
    """One valid event.

    `data` is what was read: of a type that the contract knows, the fields that could be read, without null and empty
    ones and with usual words; else the JSON value without what a store cannot keep. `raw` is the event as JSON in
    structured mode, as the event log keeps it and `decode_logged` reads it. `redacted_at`: Unix milliseconds, 0 if the
    event is not redacted; a redacted event may lack fields that its type requires. `problems`: what is wrong with it,
    one for each kind and field.
    """

    organization_id: str
    call_id: str
    type: str
    time: int
    ordering_key: OrderingKey
    data: Any
    opts_out: bool
    raw: bytes
    redacted_at: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def identity(self) -> tuple[str, str]:
        """`(source, id)`, unique within a call: two events with the same identity are the same occurrence."""
        return (self.ordering_key.source, self.ordering_key.id)

    @property
    def has_wrong_clock(self) -> bool:
        """Whether its own time was wrong or missing, so that it is taken at its record's arrival."""
        return any(problem.kind in _CLOCK and problem.field is None for problem in self.problems)


@dataclass(frozen=True, slots=True)
class InvalidEvent:
    """Why a record is not a valid event; `detail` is a sentence for the provider's engineer.

    `opt_out` is the event that enters the log in place of a refused one that opts out (docs/record.md, Opt-out). `type`
    is what the event calls itself, empty if it was not read so far.
    """

    reason: Reason
    detail: str
    opt_out: Event | None = None
    type: str = field(default="", compare=False)
