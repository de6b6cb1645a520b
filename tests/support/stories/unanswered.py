"""Outbound calls that nobody or a machine answered."""

from tests.support.events.stories import Story, carrier, ended, ending, leg, moment

DIALLED = carrier("call.created", 0, direction="outbound")
NOT_TIMED = {"call_status": "ERROR", "call_duration": 0, "call_cost": None}
NOBODY = [
    Story(
        "a busy outbound call",
        [DIALLED, carrier("call.ringing", 2), carrier("call.failed", 12, disconnection_reason="busy", sip_code=486)],
        NOT_TIMED | {"disconnection_reason": "busy", "end_timestamp": moment(12), "start_timestamp": None},
    ),
    Story(
        "a busy outbound call whose end states a duration is not timed, as it rang",
        [DIALLED, carrier("call.ringing", 2), carrier("call.failed", 12, disconnection_reason="busy", duration_ms=0)],
        NOT_TIMED | {"disconnection_reason": "busy", "end_timestamp": moment(12)},
    ),
    Story(
        "a busy outbound call of one leg",
        [
            DIALLED,
            carrier("call.ringing", 2, leg_id="A"),
            carrier("call.failed", 12, disconnection_reason="busy", leg_id="A"),
        ],
        NOT_TIMED | {"disconnection_reason": "busy", "end_timestamp": moment(12)},
        details={"legs": [leg("A", None, 12, "busy")]},
    ),
    Story(
        "an outbound call that rings",
        [DIALLED, carrier("call.ringing", 2, leg_id="A")],
        {"call_status": "REGISTERED", "end_timestamp": None, "call_duration": None, "call_cost": None},
        details={"legs": [leg("A", None)]},
    ),
    Story(
        "of two phones that ring one is busy",
        [
            DIALLED,
            carrier("call.ringing", 2, leg_id="A"),
            carrier("call.ringing", 2, leg_id="B"),
            ending(12, "busy", leg_id="A"),
        ],
        {"call_status": "REGISTERED", "disconnection_reason": None, "call_duration": None, "call_cost": None},
        details={"legs": [leg("A", None, 12, "busy"), leg("B", None)]},
    ),
    Story(
        "of two phones that ring one is busy and the other not answered",
        [
            DIALLED,
            carrier("call.ringing", 2, leg_id="A"),
            carrier("call.ringing", 2, leg_id="B"),
            ending(12, "busy", leg_id="A"),
            ending(30, "no_answer", leg_id="B"),
        ],
        NOT_TIMED | {"call_status": "ENDED", "disconnection_reason": "no_answer", "end_timestamp": moment(30)},
        {"end_overruled": 1},
    ),
]

MACHINES = [
    Story(
        "a machine that answered",
        [
            DIALLED,
            carrier("call.started", 5),
            carrier("call.classified", 8, answered_by="machine", detail="end of the greeting"),
            ending(30, "completed"),
        ],
        ended("completed", end=30, seconds=25, cost=0.008333)
        | {
            "events": [
                {"event": "Call created", "timestamp": moment(0), "session_time": 0, "data": {}},
                {
                    "event": "Call started - OUTBOUND",
                    "timestamp": moment(5),
                    "session_time": 0,
                    "data": {"direction": "OUTBOUND"},
                },
                {
                    "event": "Answered by machine",
                    "timestamp": moment(8),
                    "session_time": 3,
                    "data": {"detail": "end of the greeting"},
                },
                {"event": "Call ended - completed", "timestamp": moment(30), "session_time": 25, "data": {}},
            ]
        },
    ),
    Story(
        "a machine that answered, said of the call by an update, which has no line on the timeline",
        [
            DIALLED,
            carrier("call.started", 5),
            carrier("call.updated", 8, answered_by="machine_end_beep", machine_detection_duration=3123),
            ending(30, "completed"),
        ],
        ended("completed", end=30, seconds=25, cost=0.008333),
        details={"legs": []},
    ),
    Story(
        "a machine that answered, said of its leg by an update",
        [
            DIALLED,
            carrier("call.started", 5, leg_id="A"),
            carrier("call.updated", 8, answered_by="machine_end_beep", leg_id="A"),
            ending(30, "completed", leg_id="A", answered_by="machine_end_beep"),
        ],
        ended("completed", end=30, seconds=25, cost=0.008333),
        details={"legs": [leg("A", 5, 30, "completed", answered_by="machine_end_beep")]},
    ),
]

STORIES = (*NOBODY, *MACHINES)
