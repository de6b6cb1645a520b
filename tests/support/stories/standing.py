"""What became of each end: the list `ends` of a call's details."""

from tests.support.events.makers import Json
from tests.support.events.stories import Story, agent, carrier, ended, ending, idle_end, moment


def an_end(body: Json, seconds: float, standing: str) -> Json:
    return {
        "source": body["source"],
        "id": body["id"],
        "moment": moment(seconds),
        "reason": body["data"]["disconnection_reason"],
        "leg_id": body["data"].get("leg_id"),
        "standing": standing,
    }


CALLER = carrier("call.started", 0, direction="inbound", leg_id="A")
OTHER_PHONE = ending(10, "no_answer", leg_id="B")
PLATFORM = agent("call.started", 2)
PLATFORM_LEFT = agent("call.ended", 120, disconnection_reason="call_transfer")
DROPPED = ending(150, "connection_lost", leg_id="A")
AGAIN = carrier("call.started", 160, leg_id="A")
IDLE = idle_end(200)
CALLER_END = ending(300, "completed", leg_id="A")
SUMMARY = ending(302, "completed", source="/carrier/records", end_timestamp=moment(300))

PLATFORM_GONE = agent("call.ended", 295, disconnection_reason="inactivity")
LATE = ending(300, "user_hangup", source="/carrier/records")
STORIES = (
    Story(
        "every end has its standing",
        [CALLER, OTHER_PHONE, PLATFORM, PLATFORM_LEFT, DROPPED, AGAIN, IDLE, CALLER_END, SUMMARY],
        # While the leg was away no share was on either: the platform had left. 300 - 10 s.
        ended("completed", end=300, seconds=290, cost=0.096667),
        {"end_undone": 1, "end_overruled": 1},
        details={
            "ends": [
                an_end(OTHER_PHONE, 10, "leg"),
                an_end(PLATFORM_LEFT, 120, "overruled"),
                an_end(DROPPED, 150, "undone"),
                an_end(IDLE, 200, "inferred"),
                an_end(CALLER_END, 300, "counts"),
                an_end(SUMMARY, 300, "final"),
            ]
        },
    ),
    Story(
        "of a live call with a leg that is on, an end of another leg is only that leg's",
        [CALLER, OTHER_PHONE],
        {"call_status": "ONGOING"},
        details={"ends": [an_end(OTHER_PHONE, 10, "leg")]},
    ),
    Story(
        "a platform that notices silence has a general reason, which gives way",
        [CALLER, PLATFORM, PLATFORM_GONE, CALLER_END, LATE],
        # None is more than 5 s before another, so all count.
        ended("user_hangup", end=295, seconds=295, cost=0.098333),
        details={
            "ends": [
                an_end(PLATFORM_GONE, 295, "counts"),
                an_end(CALLER_END, 300, "counts"),
                an_end(LATE, 300, "final"),
            ]
        },
    ),
)
