"""Calls that dropped and went on, and ends that are reported twice, late or only inferred."""

from typing import Any

from tests.support.events.makers import Json
from tests.support.events.stories import Story, agent, carrier, ended, ending, idle_end, leg, moment, ongoing, turn


def drop(*, first: Json | None = None, last: Json | None = None, talk: bool = False, **each: Any) -> list[Json]:
    """Return a call from 0 to 120 s and from 180 to 300 s; `first` and `last` are data of its two ends."""
    return [
        carrier("call.started", 0, direction="outbound", **each),
        ending(120, "connection_lost", **each, **(first or {})),
        carrier("call.started", 180, **each),
        *([turn(240, "Sorry, I was cut off.")] if talk else []),
        ending(300, "user_hangup", **each, **(last or {})),
    ]


def in_agent_words(*, first: Json | None = None, last: Json | None = None) -> list[Json]:
    """Return the same call as an agent platform reports it, each time a second later."""
    return [
        agent("call.started", 1),
        agent("call.ended", 121, disconnection_reason="unknown", **(first or {})),
        agent("call.started", 181),
        agent("call.ended", 301, disconnection_reason="completed", **(last or {})),
    ]


UNDONE = {"end_undone": 1}
BOTH_PARTS = ended("user_hangup", end=300, seconds=240, cost=0.08)  # 300 s less the gap of 60 s
ON_AGAIN = [
    Story(
        "a call that dropped and whose caller joined again goes on",
        drop(talk=True)[:-1],
        ongoing(cost=0.06),  # 240 s less the gap of 60 s
        UNDONE,
    ),
    Story("the caller joined again and said nothing yet", drop()[:-1], ongoing(cost=0.04), UNDONE),
    Story(
        "a leg that dropped and joined again goes on, where its end counts for nothing and leaves no gap",
        drop(talk=True, leg_id="A")[:-1],
        ongoing(cost=0.08),  # 240 s
        details={"legs": [leg("A", 0)]},
    ),
    Story(
        "a call that dropped after 18 minutes goes on two minutes later",
        [
            carrier("call.started", 0, direction="outbound"),
            ending(1080, "completed", duration_ms=1_080_000),
            carrier("call.started", 1200, direction="outbound"),
            turn(1300, "Sorry, I was cut off."),
        ],
        ongoing(cost=0.393333),  # 1300 - 120 = 1180 s
        UNDONE,
    ),
    Story(
        "a call that dropped has ended until somebody joins again",
        drop()[:2],
        ended("connection_lost", end=120, seconds=120, cost=0.04),
    ),
]

EACH = {"duration_ms": 120_000}
DROPS = [
    Story("a drop and rejoin whose ends state no duration", drop(), BOTH_PARTS, UNDONE),
    Story("a drop and rejoin with talk, whose ends state no duration", drop(talk=True), BOTH_PARTS, UNDONE),
    Story("a drop and rejoin where each end states its part", drop(first=EACH, last=EACH), BOTH_PARTS, UNDONE),
    Story(
        "a drop and rejoin where each end states its part, with talk",
        drop(first=EACH, last=EACH, talk=True),
        BOTH_PARTS,
        UNDONE,
    ),
    Story(
        "a drop and rejoin where the last end states the whole",
        drop(last={"duration_ms": 240_000}),
        BOTH_PARTS,
        UNDONE,
    ),
    Story(
        "a drop and rejoin where the last end states its part alone: the times count",
        drop(last=EACH),
        BOTH_PARTS,
        UNDONE,
    ),
    Story(
        "a drop and rejoin where the first end states its part alone",
        drop(first=EACH),
        BOTH_PARTS,
        UNDONE,
    ),
    Story(
        "a drop and rejoin where each end states the total so far",
        drop(first=EACH, last={"duration_ms": 240_000}),
        # 120 + 240 s are more than the 300 s and 5 s that there were, so the times count.
        BOTH_PARTS,
        UNDONE | {"duration_disagrees": 1},
    ),
    Story(
        "a leg that dropped and joined again",
        drop(leg_id="A"),
        BOTH_PARTS,  # no other leg was on, so the 60 s are a gap
        UNDONE,
        details={"legs": [leg("A", 0, 300, "user_hangup")]},
    ),
    Story(
        "a leg that dropped and joined again, where each end states the leg's part",
        drop(first=EACH, last=EACH, leg_id="A"),
        BOTH_PARTS,
        UNDONE,
        details={"legs": [leg("A", 0, 300, "user_hangup", duration=120)]},
    ),
    Story(
        "a drop and rejoin reported by two sources, without durations",
        [*drop(), *in_agent_words()],
        BOTH_PARTS,  # the gaps from 120 and from 121 to 180 s overlap
        {"end_undone": 2},
    ),
    Story(
        "a drop and rejoin reported by two sources, each end with its part",
        [*drop(first=EACH, last=EACH), *in_agent_words(first=EACH, last=EACH)],
        BOTH_PARTS,
        {"end_undone": 2},
    ),
    Story(
        "a drop and rejoin reported by two sources, of which the other one states durations",
        [*drop(), *in_agent_words(first={"duration_ms": 119_000}, last={"duration_ms": 118_000})],
        ended("user_hangup", end=300, seconds=237, cost=0.079),
        {"end_undone": 2},
    ),
    Story(
        "a drop that two sources report and a rejoin that one reports",
        [*drop(), *in_agent_words()[:2]],
        BOTH_PARTS,
        {"end_undone": 2},
    ),
    Story(
        "a drop that one source reports and a rejoin that two report",
        [*drop(), agent("call.started", 1), *in_agent_words()[2:]],
        BOTH_PARTS,
        UNDONE,
    ),
    Story(
        "two sources report a drop and rejoin, one of them by the leg",
        [*drop(leg_id="A"), *in_agent_words()],
        # 121 to 180 s at least are the gap of the platform's end; the leg's begins at 120 s, when the platform's share
        # was still on, and is none. 300 - 59 = 241 s.
        ended("user_hangup", end=300, seconds=241, cost=0.080333),
        {"end_undone": 2},
    ),
]

CALL = carrier("call.started", 0, direction="inbound")
LEG = carrier("call.started", 0, direction="inbound", leg_id="A")
HANG_UP = ending(300, "user_hangup")
WHOLE = ended("user_hangup", end=300, seconds=300, cost=0.1)


def summary(seconds: float, **data: Any) -> Json:
    """Return the end in a record of the call that is written when all is over."""
    return ending(seconds, "completed", source="/carrier/records", duration_ms=300_000, **data)


RECORDS_OF_THE_CALL = [
    Story("a record of the call ten seconds after its end", [CALL, HANG_UP, summary(310)], WHOLE),
    Story(
        "a record of the call ten seconds after its end, with the end's time",
        [CALL, HANG_UP, summary(310, end_timestamp=moment(300))],
        WHOLE,
    ),
    Story(
        "a record of the call with a reason of its own",
        [CALL, HANG_UP, summary(310) | {"data": {"disconnection_reason": "caller_left", "duration_ms": 300_000}}],
        # The latest specific reason; the earliest of the moments within 30 s.
        ended("caller_left", end=300, seconds=300, cost=0.1),
    ),
    Story(
        "a record of the call with the end's time after the end of a leg",
        [LEG, ending(300, "user_hangup", leg_id="A"), summary(310, end_timestamp=moment(300))],
        WHOLE,
        details={"legs": [leg("A", 0, 300, "user_hangup")]},
    ),
    Story(
        "a record of the call without the end's time overrules the end of a leg ten seconds before it",
        [LEG, ending(300, "user_hangup", leg_id="A"), summary(310)],
        ended("completed", end=310, seconds=300, cost=0.1),
        # 310 s by the times, 300 s stated
        {"end_overruled": 1, "duration_disagrees": 1},
        details={"legs": [leg("A", 0, 300, "user_hangup")]},
    ),
    Story(
        "a record of the call and nothing else",
        [carrier("call.created", 0, direction="inbound"), summary(310)],
        # Timed without a session, as nothing rang.
        ended("completed", end=310, seconds=300, cost=0.1),
    ),
]

MADE_AFTERWARDS = [turn(seconds) for seconds in (400, 400.2, 401)]
SPOKEN = [turn(400 + n, timestamp=moment(10 * n)) for n in (1, 2, 3)]
TRANSCRIPTS = [
    Story(
        "transcripts made after the call look like talk after its end",
        [CALL, HANG_UP, *MADE_AFTERWARDS],
        WHOLE | {"transcript": "Yes.\nYes.\nYes."},
        {"talk_after_end": 3},
    ),
    Story("transcripts made after the call that state when it was said", [CALL, HANG_UP, *SPOKEN], WHOLE),
    Story(
        "transcripts made after the call and a late duplicate of the end: the later of two equal reasons",
        [CALL, HANG_UP, *MADE_AFTERWARDS, ending(420, "user_hangup")],
        ended("user_hangup", end=420, seconds=420, cost=0.14),
    ),
    Story(
        "transcripts made after the call and a late duplicate of the end that states its time",
        [CALL, HANG_UP, *MADE_AFTERWARDS, ending(420, "user_hangup", end_timestamp=moment(300))],
        WHOLE,
        {"talk_after_end": 3},
    ),
    Story(
        "transcripts that state their times and a late duplicate of the end that states its time",
        [CALL, HANG_UP, *SPOKEN, ending(420, "user_hangup", end_timestamp=moment(300))],
        WHOLE,
    ),
    Story(
        "transcripts made after the call and a late duplicate of the end of its leg",
        [
            LEG,
            ending(300, "user_hangup", leg_id="A"),
            *MADE_AFTERWARDS,
            ending(420, "user_hangup", leg_id="A", end_timestamp=moment(300)),
        ],
        WHOLE,
        {"talk_after_end": 3},
        details={"legs": [leg("A", 0, 300, "user_hangup")]},
    ),
    Story(
        "a duplicate of the end within half a minute keeps the first end's time",
        [CALL, HANG_UP, ending(329, "user_hangup")],
        WHOLE,
    ),
]

IDLE = [
    Story(
        "a call closed as idle after an undone end",
        [*drop(talk=True)[:-1], idle_end(240)],
        ended("inactivity", end=240, seconds=180, cost=0.06),
        UNDONE,
    ),
    Story(
        "a call closed as idle after an undone end and no talk",
        [*drop()[:-1], idle_end(180)],
        ended("inactivity", end=180, seconds=120, cost=0.04),
        UNDONE,
    ),
    Story(
        "a call closed as idle after a leg dropped and joined again, whose end counts for nothing and leaves no gap",
        [*drop(talk=True, leg_id="A")[:-1], idle_end(240)],
        ended("inactivity", end=240, seconds=240, cost=0.08),
        details={"legs": [leg("A", 0)]},
    ),
    Story(
        "a call closed as idle when the end of one of its legs was the last to be heard",
        [LEG, carrier("call.started", 5, leg_id="B"), turn(98), ending(100, "user_hangup", leg_id="A"), idle_end(100)],
        ended("user_hangup", end=100, seconds=100, cost=0.033333),
        details={"legs": [leg("A", 0, 100, "user_hangup"), leg("B", 5)]},
    ),
    Story(
        "a call closed as idle after its leg ended, and its agent platform never did",
        [LEG, agent("call.started", 1), ending(300, "user_hangup", leg_id="A"), idle_end(300)],
        WHOLE,
    ),
    Story(
        "a call closed as idle long after one of its legs ended",
        [LEG, carrier("call.started", 5, leg_id="B"), ending(100, "user_hangup", leg_id="A"), turn(150), idle_end(150)],
        ended("inactivity", end=150, seconds=150, cost=0.05),
    ),
    Story(
        "a call closed as idle that goes on",
        [CALL, turn(50), idle_end(50), turn(200)],
        ongoing(cost=0.066667),
    ),
    Story(
        "an inferred end, talk, a real end",
        [CALL, turn(50), idle_end(50), turn(200), HANG_UP],
        WHOLE,
    ),
    Story(
        "an inferred end, talk, a real end of the leg",
        [LEG, turn(50), idle_end(50), turn(200), ending(300, "user_hangup", leg_id="A")],
        WHOLE,
    ),
    Story("an inferred end and the real one, which came late", [CALL, turn(290), idle_end(290), HANG_UP], WHOLE),
]

STORIES = (*ON_AGAIN, *DROPS, *RECORDS_OF_THE_CALL, *TRANSCRIPTS, *IDLE)
