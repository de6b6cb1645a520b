"""Calls of people who do not want to be stored, and digits that nobody may store."""

from typing import Any

from tests.support.events.makers import Json
from tests.support.events.stories import Story, carrier, ended, ending, moment, ongoing, turn

CALLER = "+15550100039"
CALL = carrier("call.started", 0, direction="inbound", from_number=CALLER)
DIAGNOSIS = turn(5, "My diagnosis is private.")
OPTED_OUT: Json = {
    "opt_out_sensitive_data_storage": True,
    "from_number": None,
    "transcript": "",
    "transcript_object": [],
}
STARTED_ENTRY = {
    "event": "Call started - INBOUND",
    "timestamp": moment(0),
    "session_time": 0,
    "data": {"direction": "INBOUND"},
}


def opted_out(name: str, **data: Any) -> Story:
    """Return a call whose update opts out; redaction leaves nothing of the update that could be a problem."""
    return Story(name, [CALL, DIAGNOSIS, carrier("call.updated", 6, **data)], ongoing(cost=0.001667) | OPTED_OUT)


STORIES = (
    opted_out("an opt-out", opt_out_sensitive_data_storage=True),
    opted_out("an opt-out with a field that cannot be read", opt_out_sensitive_data_storage=True, from_number={"n": 1}),
    opted_out("an opt-out as a text", opt_out_sensitive_data_storage="true"),
    opted_out("an opt-out that cannot be read is taken for one", opt_out_sensitive_data_storage="please"),
    Story(
        "an opt-out in a turn",
        [CALL, turn(5, "My diagnosis is private.", opt_out_sensitive_data_storage=True)],
        ongoing(cost=0.001667) | OPTED_OUT,
        details={"turns": []},
    ),
    Story(
        "an update without the flag and with another one's setting is no opt-out",
        [CALL, DIAGNOSIS, carrier("call.updated", 6, data_storage_setting="basic_attributes_only")],
        ongoing(cost=0.001667)
        | {
            "opt_out_sensitive_data_storage": False,
            "from_number": CALLER,
            "transcript": "My diagnosis is private.",
        },
    ),
    Story(
        "metadata and reasons of an opted-out call stay",
        [
            carrier(
                "call.started",
                0,
                direction="inbound",
                from_number=CALLER,
                opt_out_sensitive_data_storage=True,
                metadata={"patient": "7"},
            ),
            carrier("call.note", 4, event="The caller is ill", data={"room": 4}),
            ending(9, "caller asked to stop"),
        ],
        ended("caller asked to stop", end=9, seconds=9, cost=0.003)
        | OPTED_OUT
        | {
            "metadata": {"patient": "7"},
            "events": [
                STARTED_ENTRY,
                {"event": "Note", "timestamp": moment(4), "session_time": 4, "data": {}},
                {
                    "event": "Call ended - caller asked to stop",
                    "timestamp": moment(9),
                    "session_time": 9,
                    "data": {},
                },
            ],
        },
    ),
    Story(
        "the digits of a card are not on the timeline",
        [
            carrier("call.started", 0, direction="inbound"),
            carrier("call.dtmf", 10, digits="4111111111111111", sensitive=True),
            carrier("call.note", 11, event="Payment step", data={"card": "taken"}),
        ],
        ongoing(cost=0.003333)
        | {
            "events": [
                STARTED_ENTRY,
                {"event": "DTMF received", "timestamp": moment(10), "session_time": 10, "data": {"sensitive": True}},
                {"event": "Payment step", "timestamp": moment(11), "session_time": 11, "data": {"card": "taken"}},
            ]
        },
    ),
)
