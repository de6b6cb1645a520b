"""What the events of a call add up to: record and details are both made of it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.contract.decode_event import Event
from shared.contract.problems import ProblemKind
from shared.fold.conversation.tools import ToolUse, tool_use
from shared.fold.conversation.turns import StandingTurn, Turns, turns_of, unfinished_problems
from shared.fold.cost import ReportedCost, TimedUsage, call_cost, standing_costs, standing_usage
from shared.fold.events import CallEvents, call_events
from shared.fold.facts import Facts
from shared.fold.lifecycle.duration import duration, end_timestamp, stating_end
from shared.fold.lifecycle.ends import Ends, ends_of
from shared.fold.lifecycle.legs import Legs
from shared.fold.lifecycle.session import TALK, Session, session_of, talk_events
from shared.fold.prices import PriceBook
from shared.fold.problems import CallProblem
from shared.fold.record import CallCost

_AFTER_END_MS = 60_000


class NoEvents(ValueError):
    """A call without events has no record."""


class Lifecycle(NamedTuple):
    """When the session of a call started and how it ended; `turns` show it too."""

    turns: Turns
    session: Session | None
    legs: Legs
    ends: Ends
    problems: Sequence[CallProblem]


class Call(NamedTuple):
    """What the events of a call add up to; `duration` is milliseconds, so far while it goes on.

    `shown_turns` and `tools` are empty and None of a call that has opted out.
    """

    events: CallEvents
    facts: Facts
    session: Session | None
    legs: Legs
    ends: Ends
    duration: int
    call_type: str | None
    direction: str | None
    shown_turns: Sequence[StandingTurn]
    tools: ToolUse | None
    usage: Sequence[Event]
    reported_costs: Sequence[ReportedCost]
    cost: CallCost | None
    problems: Sequence[CallProblem]


def lifecycle_of(call: CallEvents) -> Lifecycle:
    turns = turns_of(call)
    session, problems = session_of(call, turns.final)
    legs = Legs(call)
    ends = ends_of(call, session, legs, turns.final)
    return Lifecycle(turns, session, legs, ends, [*problems, *ends.problems()])


def call_of(events: Iterable[Event], book: PriceBook, *, opted_out: bool) -> Call:
    """Return what the events of a call add up to, in any order and repeated or not.

    Raises:
        NoEvents: `events` is empty.
    """
    call = call_events(events, opted_out=opted_out)
    if not call.events:
        raise NoEvents("a call without events has no record")
    lifecycle = lifecycle_of(call)
    turns, session, legs, ends = lifecycle.turns, lifecycle.session, lifecycle.legs, lifecycle.ends
    length, duration_problems = duration(call, session, ends, legs)
    facts = Facts(call)
    call_type, direction = facts.value("call_type"), facts.value("direction")
    first = call.events[0]
    price_list = book.price_list_at(first.time if session is None else session.start, first.organization_id)
    usage, reported = standing_usage(call), standing_costs(call, book.currency, price_list)
    timed = None
    if session is not None or (stating_end(ends) is not None and "call.ringing" not in call.by_type):
        timed = TimedUsage(length, session is not None, call_type, direction)
    cost, cost_problems = call_cost(price_list, timed, usage, reported)
    ended = ends.final is not None
    return Call(
        events=call,
        facts=facts,
        session=session,
        legs=legs,
        ends=ends,
        duration=length,
        call_type=call_type,
        direction=direction,
        shown_turns=() if call.opted_out else turns.shown(ended=ended),
        tools=tool_use(call),
        usage=usage,
        reported_costs=reported,
        cost=cost,
        problems=[
            *call.problems,
            *lifecycle.problems,
            *duration_problems,
            *(_talk_after_end(call, ends, turns) if ended else ()),
            *(unfinished_problems(turns) if ended else ()),
            *cost_problems,
        ],
    )


def _talk_after_end(call: CallEvents, ends: Ends, turns: Turns) -> list[CallProblem]:
    """Return a problem for each talk more than 60 s after the end of the call."""
    limit = (end_timestamp(ends) or 0) + _AFTER_END_MS
    late = []
    if turns.final and turns.final[-1].timestamp > limit:
        late = [turn.event for turn in turns.final if turn.timestamp > limit]
    if (call.latest_time(*TALK) or 0) > limit:
        late += [event for event in talk_events(call) if event.time > limit]
    detail = "this was said or done more than a minute after the call's end"
    return [CallProblem(ProblemKind.TALK_AFTER_END, event, None, detail) for event in late]
