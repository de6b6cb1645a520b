"""Calls of several phones: which end of one of them is the end of the call."""

from typing import Any

from tests.support.events.makers import Json
from tests.support.events.stories import Story, carrier, ended, ending, leg, moment, ongoing, turn

FIRST_PHONE, SECOND_PHONE = "/carrier/phone-1", "/carrier/phone-2"
TALK = [turn(19, "Front desk, how can I help?", role="assistant"), turn(200, "I would like to move my appointment.")]

# Rings from -10 s, the second phone answers at 18 s.
RANG = carrier("call.created", -10, direction="inbound")


def ring(*, legs: bool) -> list[Json]:
    """Return how one phone is answered and the other one stops to ring two seconds later."""
    first, second = [{"leg_id": "phone-1"}, {"leg_id": "phone-2"}] if legs else [{}, {}]
    return [
        RANG,
        carrier("call.started", 18, source=SECOND_PHONE, **second),
        ending(20, "no_answer", source=FIRST_PHONE, **first),
    ]


def answered_phone_ends(**data: Any) -> Json:
    return ending(318, "normal_clearing", source=SECOND_PHONE, **data)


NO_ANSWER = leg("phone-1", None, 20, "no_answer")
RING_WITH_LEGS = [
    Story(
        "a phone that rang next to the answered one is a leg's end and no more",
        [*ring(legs=True), answered_phone_ends(leg_id="phone-2")],
        ended("normal_clearing", end=318, seconds=300, cost=0.1),
        details={"legs": [leg("phone-2", 18, 318, "normal_clearing"), NO_ANSWER]},
    ),
    Story(
        "a phone that rang next to the answered one, with talk between",
        [*ring(legs=True), *TALK, answered_phone_ends(leg_id="phone-2")],
        ended("normal_clearing", end=318, seconds=300, cost=0.1),
    ),
    Story(
        "a phone rang next to the answered one, which still talks",
        [*ring(legs=True), *TALK],
        ongoing(cost=0.060667),  # 182 s / 60 * 0.02
        details={"legs": [leg("phone-2", 18), NO_ANSWER]},
    ),
    Story(
        "a phone rang next to the answered one, where nothing was said yet",
        ring(legs=True),
        ongoing(cost=0),
    ),
    Story(
        "the answered phone states how long it talked",
        [*ring(legs=True), answered_phone_ends(leg_id="phone-2", duration_ms=300_000, end_timestamp=moment(318))],
        ended("normal_clearing", end=318, seconds=300, cost=0.1),
    ),
]
# Without legs the end at 20 s counts until another one, more than 60 s later, comes from the source of the session.
RING_WITHOUT_LEGS = [
    Story(
        "a phone that rang next to the answered one, of two sources without legs",
        [*ring(legs=False), answered_phone_ends()],
        ended("normal_clearing", end=318, seconds=300, cost=0.1),
        {"end_overruled": 1},
    ),
    Story(
        "a phone that rang, and talk, of sources without legs that state durations",
        [
            RANG,
            carrier("call.started", 18, source=SECOND_PHONE, start_timestamp=moment(18)),
            ending(20, "no_answer", source=FIRST_PHONE, duration_ms=0, end_timestamp=moment(20)),
            *TALK,
            answered_phone_ends(duration_ms=300_000, end_timestamp=moment(318)),
        ],
        ended("normal_clearing", end=318, seconds=300, cost=0.1),
        {"end_overruled": 1},
    ),
    Story(
        "without legs the phone that rang ends the call, until the answered one does",
        [*ring(legs=False), *TALK],
        ended("no_answer", end=20, seconds=2, cost=0.000667),
        {"talk_after_end": 1},  # the turn at 200 s; that at 19 s is earlier
    ),
    Story(
        "one source without legs and without talk: the specific reason of the phone that rang remains",
        [
            RANG,
            carrier("call.started", 18),
            ending(20, "no_answer"),
            ending(318, "normal_clearing"),
        ],
        ended("no_answer", end=20, seconds=2, cost=0.000667),
    ),
    Story(
        "one source without legs, with talk between that states its time",
        [
            RANG,
            carrier("call.started", 18),
            ending(20, "no_answer"),
            turn(320, timestamp=moment(200)),
            ending(318, "normal_clearing"),
        ],
        ended("normal_clearing", end=318, seconds=300, cost=0.1),
        {"end_overruled": 1},
    ),
]

BRIDGE_WITH_LEGS = [
    carrier("call.started", 0, direction="inbound", leg_id="A"),
    carrier("call.transferred", 25, mode="bridge", destination="+1", leg_id="A"),
    carrier("call.started", 28, leg_id="B"),
    ending(30, "user_hangup", leg_id="A"),
]
BILLING_OFFICE = [turn(45, "Is this the billing office?"), turn(100, "Then I will send the form today.")]
BRIDGE_WITHOUT_LEGS = [
    carrier("call.started", 0, direction="inbound"),
    carrier("call.transferred", 25, mode="bridge", destination="+1"),
    ending(30, "user_hangup"),
]
FIRST_LEG_HANGS_UP = [
    Story(
        "the first leg hung up and the second goes on",
        [*BRIDGE_WITH_LEGS, *BILLING_OFFICE],
        ongoing(cost=0.033333),  # 100 s
        details={"legs": [leg("A", 0, 30, "user_hangup"), leg("B", 28)]},
    ),
    Story(
        "the first leg hung up and the second goes on without a word",
        BRIDGE_WITH_LEGS,
        ongoing(cost=0.009333),  # 28 s: the start of the second leg is the latest activity
    ),
    Story(
        "the first leg hung up, later the second",
        [*BRIDGE_WITH_LEGS, *BILLING_OFFICE, ending(200, "completed", leg_id="B")],
        ended("completed", end=200, seconds=200, cost=0.066667),
        {"end_overruled": 1},
        details={"legs": [leg("A", 0, 30, "user_hangup"), leg("B", 28, 200, "completed")]},
    ),
    Story(
        "the first leg hung up, later the second, and nothing was said",
        [*BRIDGE_WITH_LEGS, ending(200, "completed", leg_id="B")],
        ended("completed", end=200, seconds=200, cost=0.066667),
        {"end_overruled": 1},
    ),
    Story(
        "the duration that a leg states is its own and not that of the call",
        [*BRIDGE_WITH_LEGS, ending(200, "completed", leg_id="B", duration_ms=172_000)],
        ended("completed", end=200, seconds=200, cost=0.066667),
        {"end_overruled": 1},
        details={"legs": [leg("A", 0, 30, "user_hangup"), leg("B", 28, 200, "completed")]},
    ),
    Story(
        "the first leg hung up and the share of the carrier goes on",
        [*BRIDGE_WITHOUT_LEGS[:2], ending(30, "user_hangup", source="/carrier/leg-a", leg_id="A"), *BILLING_OFFICE],
        ongoing(cost=0.033333),
        details={"legs": [leg("A", None, 30, "user_hangup")]},
    ),
    Story(
        "without legs the hang-up of the first ends the call while the second talks",
        [*BRIDGE_WITHOUT_LEGS, *BILLING_OFFICE],
        ended("user_hangup", end=30, seconds=30, cost=0.01),
        {"talk_after_end": 1},  # 100 s is more than 60 s after 30 s, 45 s is not
    ),
    Story(
        "without legs an end gives way to a later one after talk",
        # Two turns without a stated time, 55 s apart, are talk.
        [*BRIDGE_WITHOUT_LEGS, *BILLING_OFFICE, ending(200, "completed")],
        ended("completed", end=200, seconds=200, cost=0.066667),
        {"end_overruled": 1},
    ),
    Story(
        "without legs and without talk the specific reason of the first end remains",
        [*BRIDGE_WITHOUT_LEGS, ending(200, "completed")],
        ended("user_hangup", end=30, seconds=30, cost=0.01),
    ),
]

JOINED = [
    carrier("call.started", 0, direction="inbound", leg_id="A"),
    carrier("call.started", 10, leg_id="B"),
    carrier("call.started", 20, leg_id="C"),
]
REJOINED = [ending(100, "user_hangup", leg_id="B"), carrier("call.started", 160, leg_id="B")]
ALL_LEAVE = [
    ending(300, "user_hangup", leg_id="A"),
    ending(330, "user_hangup", leg_id="B"),
    ending(360, "completed", leg_id="C"),
]
ANONYMOUS = [carrier("call.started", 0, direction="inbound"), *(carrier("call.started", n) for n in (10, 20))]
CONFERENCES = [
    Story(
        "a conference of three, one of whom left and joined again, which goes on",
        [*JOINED, *REJOINED, turn(200)],
        ongoing(cost=0.066667),
        {},
        details={"legs": [leg("A", 0), leg("B", 10), leg("C", 20)]},
    ),
    Story(
        "a conference of three, one of whom left and joined again",
        [*JOINED, *REJOINED, *ALL_LEAVE],
        # A gives way to B and B to C; the two others were on while B was away, so it is no gap.
        ended("completed", end=360, seconds=360, cost=0.12),
        {"end_undone": 1, "end_overruled": 2},
        details={
            "legs": [leg("A", 0, 300, "user_hangup"), leg("B", 10, 330, "user_hangup"), leg("C", 20, 360, "completed")]
        },
    ),
    Story(
        "a conference of three who hang up within three seconds",
        [
            *JOINED,
            *REJOINED,
            ending(300, "user_hangup", leg_id="A"),
            ending(302, "user_hangup", leg_id="B"),
            ending(303, "completed", leg_id="C"),
        ],
        # All three stand; of the specific reasons the latest is that of B.
        ended("user_hangup", end=302, seconds=302, cost=0.100667),
        {"end_undone": 1},
    ),
    Story(
        "a conference without legs looks like a drop of all, and ends with the earliest of three ends 30 s apart",
        [
            *ANONYMOUS,
            ending(100, "user_hangup"),
            carrier("call.started", 160),
            ending(300, "user_hangup"),
            ending(330, "user_hangup"),
            ending(360, "completed"),
        ],
        # The final end is that of 330 s, the latest specific one; 300 s is at most 30 s earlier. 300 - 60 s of gap.
        ended("user_hangup", end=300, seconds=240, cost=0.08),
        {"end_undone": 1},
    ),
    Story(
        "a conference without legs that goes on looks like a drop of all",
        [*ANONYMOUS, ending(100, "user_hangup"), carrier("call.started", 160), turn(200)],
        ongoing(cost=0.046667),  # 200 - 60 s
        {"end_undone": 1},
    ),
    Story(
        "a conference without legs, with talk before the last end",
        [
            *ANONYMOUS,
            ending(100, "user_hangup"),
            carrier("call.started", 160),
            ending(300, "user_hangup"),
            ending(330, "user_hangup"),
            turn(345, timestamp=moment(345)),
            ending(360, "completed"),
        ],
        ended("completed", end=360, seconds=300, cost=0.1),
        {"end_undone": 1, "end_overruled": 2},
    ),
]

STORIES = (*RING_WITH_LEGS, *RING_WITHOUT_LEGS, *FIRST_LEG_HANGS_UP, *CONFERENCES)
