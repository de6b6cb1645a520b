"""Transfers and recordings."""

from tests.support.events.stories import Story, agent, carrier, ended, ending, leg, moment, ongoing, turn

CALL = carrier("call.started", 0, direction="inbound")
WARM = carrier("call.transferred", 50, destination="+1", mode="warm", transfer_id="x")
STILL_HERE = turn(200, "They are busy, may I help instead?", role="assistant")
COMPLETED = ending(360, "completed")
WHOLE = ended("completed", end=360, seconds=360, cost=0.12)
BUSY_LEG = leg("target", None, 60, "busy")
FAILED_TRANSFER = {
    "transfer_id": "x",
    "destination": "+1",
    "mode": "warm",
    "status": "failed",
    "leg_id": None,
    "at": moment(50),
}

FAILED_WARM = [
    Story(
        "a warm transfer to a busy target",
        [
            CALL,
            WARM,
            ending(60, "busy", leg_id="target"),
            carrier("call.transferred", 61, status="failed", transfer_id="x"),
            COMPLETED,
        ],
        WHOLE,
        details={"legs": [BUSY_LEG], "transfers": [FAILED_TRANSFER]},
    ),
    Story(
        "a warm transfer to a busy target, with talk afterwards",
        [CALL, WARM, ending(60, "busy", leg_id="target"), STILL_HERE, COMPLETED],
        WHOLE,
    ),
    Story(
        "a warm transfer to a busy target, while the agent goes on to talk",
        [CALL, WARM, ending(60, "busy", leg_id="target"), STILL_HERE],
        ongoing(cost=0.066667),
        details={"legs": [BUSY_LEG]},
    ),
    Story(
        "a warm transfer to a busy target, live and without talk",
        [CALL, WARM, ending(60, "busy", leg_id="target")],
        ongoing(cost=0.016667),  # 50 s: the transfer is the latest activity
    ),
    Story(
        "a warm transfer to a busy target, of two sources without legs",
        [CALL, WARM, ending(60, "busy", source="/carrier/target"), STILL_HERE, COMPLETED],
        # The source of the session ended the call more than 60 s later.
        WHOLE,
        {"end_overruled": 1},
    ),
    Story(
        "without legs a busy target ends the call while the agent talks",
        [CALL, WARM, ending(60, "busy", source="/carrier/target"), STILL_HERE],
        ended("busy", end=60, seconds=60, cost=0.02),
        {"talk_after_end": 1},
    ),
    Story(
        "a busy target, of one source without legs, and talk that states its time",
        [CALL, WARM, ending(60, "busy"), turn(200, timestamp=moment(200)), COMPLETED],
        WHOLE,
        {"end_overruled": 1},
    ),
    Story(
        "a busy target, of one source without legs and without talk: its specific reason remains",
        [CALL, WARM, ending(60, "busy"), COMPLETED],
        ended("busy", end=60, seconds=60, cost=0.02),
    ),
    Story(
        "a target that cannot be routed to fails, of two sources without legs",
        [
            CALL,
            carrier(
                "call.failed", 60, source="/carrier/target", disconnection_reason="sip_routing_error", sip_code=503
            ),
            ending(360, "user_hangup", ended_by="user"),
        ],
        ended("user_hangup", end=360, seconds=360, cost=0.12),
        {"end_overruled": 1},
    ),
    Story(
        "a target that cannot be routed to is a leg that failed",
        [
            CALL,
            carrier("call.failed", 60, disconnection_reason="sip_routing_error", sip_code=503, leg_id="target"),
            ending(360, "user_hangup", ended_by="user"),
        ],
        ended("user_hangup", end=360, seconds=360, cost=0.12),
        details={"legs": [leg("target", None, 60, "sip_routing_error")]},
    ),
]

BLIND_LEGS = [
    carrier("call.started", 0, direction="inbound", leg_id="caller"),
    carrier("call.started", 1, leg_id="agent"),
    carrier("call.transferred", 41, destination="637", mode="blind", leg_id="caller"),
    ending(42, "call_transfer", leg_id="agent"),
    carrier("call.started", 45, leg_id="target"),
]
PLATFORM_LEAVES = [agent("call.started", 1), agent("call.ended", 41, disconnection_reason="call_transfer")]
BLIND = [
    Story(
        "a blind transfer by legs",
        [*BLIND_LEGS, ending(130, "user_hangup", leg_id="caller"), ending(131, "completed", leg_id="target")],
        # The agent's end gives way to both later ones; of these the reason of the caller's is the specific one.
        ended("user_hangup", end=130, seconds=130, cost=0.043333),
        {"end_overruled": 1},
        details={
            "legs": [
                leg("caller", 0, 130, "user_hangup"),
                leg("agent", 1, 42, "call_transfer"),
                leg("target", 45, 131, "completed"),
            ]
        },
    ),
    Story(
        "a blind transfer by legs that goes on",
        [*BLIND_LEGS, turn(100)],
        ongoing(cost=0.033333),
    ),
    Story(
        "a blind transfer that a source without legs reports",
        [CALL, carrier("call.transferred", 41, destination="637", mode="blind"), ending(130, "completed")],
        ended("completed", end=130, seconds=130, cost=0.043333),
    ),
    Story(
        "a blind transfer after which the agent platform leaves, without legs",
        [CALL, *PLATFORM_LEAVES, ending(130, "completed")],
        # 89 s later, by the source of the session
        ended("completed", end=130, seconds=130, cost=0.043333),
        {"end_overruled": 1},
    ),
    Story(
        "a blind transfer after which the agent platform leaves less than a minute before the end, without legs",
        [CALL, *PLATFORM_LEAVES, ending(100, "completed")],
        ended("call_transfer", end=41, seconds=41, cost=0.013667),
    ),
    Story(
        "a blind transfer after which the agent platform leaves less than a minute before the end, with talk",
        [CALL, *PLATFORM_LEAVES, turn(60, timestamp=moment(60)), ending(100, "completed")],
        ended("completed", end=100, seconds=100, cost=0.033333),
        {"end_overruled": 1},
    ),
]


def recording(part: int, seconds: float, milliseconds: int) -> dict[str, object]:
    return {
        "recording_id": None,
        "recording_url": f"https://recordings.example/part-{part}.wav",
        "channel": None,
        "leg_id": None,
        "available_at": moment(seconds),
        "duration_ms": milliseconds,
        "expires_at": None,
    }


def recorded(part: int, seconds: float, milliseconds: int) -> dict[str, object]:
    url = f"https://recordings.example/part-{part}.wav"
    return carrier("recording.available", seconds, recording_url=url, duration_ms=milliseconds)


RECORDINGS = [
    Story(
        "two recordings of a call that was transferred",
        [
            CALL,
            recorded(1, 40, 38_000),
            carrier("call.transferred", 41, destination="637", mode="blind"),
            recorded(2, 130, 88_000),
            ending(130, "completed"),
        ],
        ended("completed", end=130, seconds=130, cost=0.043333)
        | {"recording_url": "https://recordings.example/part-2.wav"},
        details={
            "recordings": [recording(1, 40, 38_000), recording(2, 130, 88_000)],
            "transfers": [
                {
                    "transfer_id": None,
                    "destination": "637",
                    "mode": "blind",
                    "status": None,
                    "leg_id": None,
                    "at": moment(41),
                }
            ],
        },
    ),
    Story(
        "of one recording the latest announcement shows",
        [
            CALL,
            carrier("recording.available", 10, recording_id="r", recording_url="https://recordings.example/a"),
            carrier("recording.available", 20, recording_id="r", recording_url="https://recordings.example/b"),
        ],
        ongoing(cost=0) | {"recording_url": "https://recordings.example/b"},
        details={
            "recordings": [
                recording(2, 20, 0)
                | {"recording_id": "r", "recording_url": "https://recordings.example/b", "duration_ms": None}
            ]
        },
    ),
]

STORIES = (*FAILED_WARM, *BLIND, *RECORDINGS)
