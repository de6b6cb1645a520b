"""Wrong clocks, wrong times and wrong durations."""

from tests.support.events.stories import Story, agent, carrier, ended, ending, moment, ongoing, turn

TEN_YEARS = 3_653 * 86_400
FORTY_DAYS = 40 * 86_400
CALL = carrier("call.started", 0, direction="inbound")

STORIES = (
    Story(
        "a negative duration costs that field alone",
        [CALL, ending(61, "user_hangup", duration_ms=-1_589_293_212_000, end_timestamp=moment(61))],
        ended("user_hangup", end=61, seconds=61, cost=0.020333),
        {"field_unreadable": 1},
    ),
    Story(
        "an end that states a time hours before the start ends when it was sent",
        [
            carrier("call.started", 0, direction="outbound", start_timestamp=moment(0)),
            turn(30, "At the tone the time will be."),
            ending(54, "completed", end_timestamp=moment(-4 * 3600)),
        ],
        ended("completed", end=54, seconds=54, cost=0.018),
        {"end_before_start": 1},
    ),
    Story(
        "a sample of the far future counts as of its arrival",
        [
            CALL,
            agent("latency.sampled", 12, id="ahead", component="tts", value_ms=120) | {"time": "2099-12-31T23:00:00Z"},
        ],
        ongoing(cost=0.004) | {"latency.tts.values": [120]},
        {"time_ahead": 1},
        arrivals={"ahead": moment(12)},
    ),
    Story(
        "an end ten years ahead is taken at its arrival",
        [CALL, ending(TEN_YEARS, "completed", id="ahead")],
        ended("completed", end=60, seconds=60, cost=0.02),
        {"time_ahead": 1},
        arrivals={"ahead": moment(60)},
    ),
    Story(
        "an end without a readable time is taken at its arrival",
        [CALL, ending(60, "completed", id="no-time") | {"time": "Wed, 20 Dec 2023 18:41:00 +0000"}],
        ended("completed", end=60, seconds=60, cost=0.02),
        {"time_unreadable": 1},
        arrivals={"no-time": moment(60)},
    ),
    Story(
        "a fast clock does not win against a correction",
        [
            carrier("call.created", 365 * 86_400, id="ahead", direction="inbound", to_number="+1001"),
            carrier("call.updated", 30, to_number="+1002", metadata={"k": "corrected"}),
        ],
        {"call_status": "REGISTERED", "to_number": "+1002", "metadata": {"k": "corrected"}, "direction": "INBOUND"},
        {"time_ahead": 1},
        arrivals={"ahead": moment(0)},
    ),
    Story(
        "ringing and answering of unknown types are lines of the timeline, and a start that came early is the start",
        [
            carrier("call.started", 0, direction="outbound"),
            carrier("call.ringing", 1),
            carrier("call.answered", 41, answered_at=moment(41)),
            ending(61, "user_hangup"),
        ],
        ended("user_hangup", end=61, seconds=61, cost=0.020333)
        | {
            "events": [
                {
                    "event": "Call started - OUTBOUND",
                    "timestamp": moment(0),
                    "session_time": 0,
                    "data": {"direction": "OUTBOUND"},
                },
                {"event": "Call ringing", "timestamp": moment(1), "session_time": 1, "data": {}},
                {
                    "event": "call.answered",
                    "timestamp": moment(41),
                    "session_time": 41,
                    "data": {"answered_at": moment(41)},
                },
                {"event": "Call ended - user_hangup", "timestamp": moment(61), "session_time": 61, "data": {}},
            ]
        },
    ),
    Story(
        "a stated duration that the times contradict counts and is reported",
        [CALL, ending(300, "user_hangup", duration_ms=200_000)],
        ended("user_hangup", end=300, seconds=200, cost=0.066667),
        {"duration_disagrees": 1},
    ),
    Story(
        "an end that states a time two hours ahead ends when it was sent",
        [CALL, ending(60, "user_hangup", end_timestamp=moment(60 + 7_200))],
        ended("user_hangup", end=60, seconds=60, cost=0.02),
        {"time_ahead": 1},
    ),
    Story(
        "a start forty days before the call is left out",
        [carrier("call.started", -FORTY_DAYS, source="/slow-clock"), CALL, ending(300, "user_hangup")],
        ended("user_hangup", end=300, seconds=300, cost=0.1) | {"start_timestamp": moment(0)},
        {"start_left_out": 1},
    ),
    Story(
        "where the only start lies forty days before the call the turns decide",
        [
            carrier("call.started", -FORTY_DAYS, direction="inbound"),
            turn(6),
            turn(300),
            ending(305, "user_hangup"),
        ],
        ended("user_hangup", end=305, seconds=299, cost=0.099667) | {"start_timestamp": moment(6)},
        {"start_left_out": 1},
    ),
    Story(
        "an end that is sent with two reasons under one id counts once",
        # The canonical form of the first one is lower.
        [CALL, ending(300, "agent_hangup", id="end"), ending(300, "user_hangup", id="end")],
        ended("agent_hangup", end=300, seconds=300, cost=0.1),
        {"conflict": 1},
    ),
)
