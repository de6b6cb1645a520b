"""Wrong clocks, wrong times and wrong durations."""

from tests.support.events.stories import Story, agent, carrier, ended, ending, moment, ongoing, turn

TEN_YEARS = 3_653 * 86_400
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
)
