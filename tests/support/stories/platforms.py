"""Calls that a carrier reports by legs and an agent platform as a whole."""

from tests.support.events.makers import Json
from tests.support.events.stories import Story, agent, carrier, ended, ending, leg, ongoing, turn


def platform(start: float, leaves: float | None, reason: str = "call_transfer") -> list[Json]:
    """Return an agent platform's own start and end, which name no leg."""
    end = [] if leaves is None else [agent("call.ended", leaves, disconnection_reason=reason)]
    return [agent("call.started", start, direction="inbound"), *end]


CALLER = carrier("call.started", 0, direction="inbound", leg_id="A")
CALLER_ENDS = ending(300, "completed", leg_id="A")
STORIES = (
    Story(
        "an agent platform that names no legs starts after the carrier's leg and leaves early",
        [CALLER, *platform(2, 120), CALLER_ENDS],
        ended("completed", end=300, seconds=300, cost=0.1),
        {"end_overruled": 1},
        details={"legs": [leg("A", 0, 300, "completed")]},
    ),
    Story(
        "an agent platform that names no legs starts before the carrier's leg and leaves early",
        # The later end names a connected leg that the platform never named.
        [*platform(-1, 120), CALLER, CALLER_ENDS],
        ended("completed", end=300, seconds=301, cost=0.100333),
        {"end_overruled": 1},
    ),
    Story(
        "an agent platform leaves early, and people go on to talk",
        [CALLER, *platform(2, 120), turn(50), turn(150), turn(250), CALLER_ENDS],
        ended("completed", end=300, seconds=300, cost=0.1),
        {"end_overruled": 1},
    ),
    Story(
        "an agent platform that left ends a live call of the carrier, whose leg is still connected",
        [CALLER, *platform(2, 120), turn(50), turn(150), turn(250)],
        ended("call_transfer", end=120, seconds=120, cost=0.04),
        {"talk_after_end": 1},  # 250 s; 150 s is within 60 s
    ),
    Story(
        "an agent platform that started before the carrier left early, and the caller's leg still talks",
        [*platform(-1, 120), CALLER, turn(50), turn(150)],
        ended("call_transfer", end=120, seconds=121, cost=0.040333),
    ),
    Story(
        "an agent platform and the caller's leg are on",
        [*platform(-1, None), CALLER, turn(50)],
        ongoing(cost=0.017),  # 51 s
        details={"legs": [leg("A", 0)]},
    ),
    Story(
        "an agent platform without an end of its own holds back the end of the carrier's leg",
        [CALLER, *platform(2, None), CALLER_ENDS],
        ongoing(cost=0.000667),  # 2 s: its start is the latest activity
    ),
    Story(
        "an agent platform that left half a minute before the caller has the more specific reason",
        [CALLER, *platform(2, 270), CALLER_ENDS],
        ended("call_transfer", end=270, seconds=270, cost=0.09),
    ),
    Story(
        "agent_hangup, and 0.4 s later the carrier's unspecified",
        [CALLER, *platform(2, 300, "agent_hangup"), ending(300.4, "unspecified", leg_id="A")],
        ended("agent_hangup", end=300, seconds=300, cost=0.1),
        details={"legs": [leg("A", 0, 300.4, "unspecified", duration=300.4)]},
    ),
    Story(
        "agent_hangup, and 0.4 s later the carrier's unspecified, without legs",
        [
            carrier("call.started", 0, direction="inbound"),
            *platform(2, 300, "agent_hangup"),
            ending(300.4, "unspecified"),
        ],
        ended("agent_hangup", end=300, seconds=300, cost=0.1),
    ),
    Story(
        "agent_hangup, and the duration of the carrier's unspecified",
        [
            carrier("call.started", 0, direction="inbound"),
            *platform(2, 300, "agent_hangup"),
            ending(300.4, "unspecified", duration_ms=300_400),
        ],
        # 301 s are billed.
        ended("agent_hangup", end=300, seconds=300.4, cost=0.100333),
    ),
    Story(
        "agent_hangup before the carrier sent its end",
        [carrier("call.started", 0, direction="inbound"), *platform(2, 300, "agent_hangup")],
        ended("agent_hangup", end=300, seconds=300, cost=0.1),
    ),
)
