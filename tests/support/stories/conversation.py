"""Turns, their words, tool calls and latency samples."""

from typing import Any

from tests.support.events.makers import Json
from tests.support.events.stories import Story, agent, carrier, ended, ending, moment, ongoing, turn

CALL = carrier("call.started", 0, direction="inbound")


def word(text: str, start: float, end: float) -> Json:
    return {"word": text, "start": moment(start), "end": moment(end)}


ONE_MOMENT = [word("please", 9, 9.4), word("One", 5, 5.3), word("moment", 6, 6.4)]
NO_HURRY = [word("No", 7, 7.2), word("hurry", 7.3, 7.6)]
SECONDS = [{"word": "how", "start": 0, "end": 0.32}, {"word": "are", "start": 0.32, "end": 0.48}]

WORDS = [
    Story(
        "words out of order: a turn is as old as its earliest word",
        [
            CALL,
            turn(20, "One moment please", role="assistant", turn_id="1", words=ONE_MOMENT),
            turn(21, "No hurry", turn_id="2", words=NO_HURRY),
        ],
        ongoing(cost=0.007)
        | {
            "transcript": "One moment please\nNo hurry",
            "transcript_object": [
                {"role": "assistant", "content": "One moment please", "timestamp": moment(5), "words": ONE_MOMENT},
                {"role": "user", "content": "No hurry", "timestamp": moment(7), "words": NO_HURRY},
            ],
        },
    ),
    Story(
        "word times in seconds are null, and the turn stands",
        [
            CALL,
            turn(4, "How are you today?", role="agent", words=SECONDS),
            turn(9, "Fine, thanks.", timestamp=moment(9) + 0.25),
        ],
        ongoing(cost=0.003)
        | {
            "transcript_object": [
                {
                    "role": "assistant",
                    "content": "How are you today?",
                    "timestamp": moment(4),
                    "words": [
                        {"word": "how", "start": None, "end": None},
                        {"word": "are", "start": None, "end": None},
                    ],
                },
                {"role": "user", "content": "Fine, thanks.", "timestamp": moment(9), "words": []},
            ]
        },
        {"word_times_unreadable": 1},
    ),
]

PLUMBER = ("I need", "I need a", "I need a plumber")
QUESTION = turn(4, "Shall I cancel the order?", role="assistant", turn_id="1")
LAST_WORDS = turn(8, "No, please do not", turn_id="2", final=False, revision=1)
HANG_UP = ending(9, "user_hangup")
TURNS = [
    Story(
        "a transcript of one item that grows is one turn",
        [turn(5 + n, said, turn_id="item-1", final=True) for n, said in enumerate(PLUMBER)],
        # The session starts with the turn that stands, at 7 s.
        ongoing(cost=0) | {"transcript": "I need a plumber", "start_timestamp": moment(7)},
        {"unknown_direction": 1},
    ),
    Story(
        "a transcript that grows without an id is three turns",
        [turn(5 + n, said) for n, said in enumerate(PLUMBER)],
        ongoing(cost=0.000667) | {"transcript": "\n".join(PLUMBER), "start_timestamp": moment(5)},
        {"unknown_direction": 1},
    ),
    Story(
        "the caller hung up in the middle of a sentence",
        [CALL, QUESTION, LAST_WORDS, HANG_UP],
        ended("user_hangup", end=9, seconds=9, cost=0.003)
        | {"transcript": "Shall I cancel the order?\nNo, please do not"},
        {"turn_not_final": 1},
    ),
    Story(
        "a sentence that is not over does not show while the call goes on",
        [CALL, QUESTION, LAST_WORDS],
        ongoing(cost=0.002667) | {"transcript": "Shall I cancel the order?"},
    ),
    Story(
        "a sentence that became final shows as it ended",
        [CALL, QUESTION, LAST_WORDS, turn(9, "No, please do not!", turn_id="2", revision=2), HANG_UP],
        ended("user_hangup", end=9, seconds=9, cost=0.003)
        | {"transcript": "Shall I cancel the order?\nNo, please do not!"},
    ),
    Story(
        "turns of an import with one time stand in the order of their numbers",
        [turn(100, f"sentence {n}", id=f"turn-{n}") for n in range(1, 13)],
        ongoing(cost=0) | {"transcript": "\n".join(f"sentence {n}" for n in range(1, 13))},
        {"unknown_direction": 1},
    ),
    Story(
        "turns of an import with one time stand in the order of their sequence",
        [turn(100, f"sentence {n}", id=f"turn-{13 - n}", sequence=n) for n in range(1, 13)],
        ongoing(cost=0) | {"transcript": "\n".join(f"sentence {n}" for n in range(1, 13))},
        {"unknown_direction": 1},
    ),
    Story(
        "turns without a start are a call of their length",
        [
            carrier("call.created", 0, direction="outbound"),
            carrier("call.answered", 5, answered_at=moment(5)),
            turn(6, "Hello?"),
            turn(300, "Thank you, goodbye."),
            ending(305, "user_hangup"),
        ],
        ended("user_hangup", end=305, seconds=299, cost=0.099667) | {"start_timestamp": moment(6)},
    ),
    Story(
        "turns without a start, while the call goes on",
        [carrier("call.created", 0, direction="outbound"), turn(6, "Hello?"), turn(300, "One more thing.")],
        ongoing(cost=0.098) | {"start_timestamp": moment(6)},
    ),
]


def roles(*said: tuple[str, str | None]) -> list[Json]:
    return [turn(seconds, role=role) | _content(role, content) for seconds, (role, content) in enumerate(said)]


def _content(role: str, content: str | None) -> Json:
    return {"data": {"role": role, "content": content}}


SPEAKERS = [
    Story(
        "providers' words for the same speaker, and turns without text",
        roles(
            ("bot", "Hello."),
            ("Agent", "Hi."),
            ("AGENT", "Hey."),
            ("customer", "Yes."),
            ("transfer_target", "Roe speaking."),
            ("assistant", ""),
            ("agent", None),
            ("user", "  "),
        ),
        {
            "transcript": "Hello.\nHi.\nHey.\nYes.\nRoe speaking.\n  ",
            "transcript_object": [
                {"role": role, "content": content, "timestamp": moment(seconds), "words": []}
                for seconds, (role, content) in enumerate(
                    [
                        ("assistant", "Hello."),
                        ("assistant", "Hi."),
                        ("assistant", "Hey."),
                        ("user", "Yes."),
                        ("transfer_target", "Roe speaking."),
                        ("assistant", ""),
                        ("assistant", ""),
                        ("user", "  "),
                    ]
                )
            ],
        },
        {"unknown_direction": 1},
    ),
]


def called(name: str, call: str, arguments: str, seconds: float) -> Json:
    return {
        "role": "tool_call_invocation",
        "tool_call_id": call,
        "name": name,
        "arguments": arguments,
        "timestamp": moment(seconds),
    }


def returned(call: str, content: str, seconds: float) -> Json:
    return {
        "role": "tool_call_result",
        "tool_call_id": call,
        "content": content,
        "successful": True,
        "timestamp": moment(seconds),
    }


def tool_call(seconds: float, name: str, call: str, **data: Any) -> Json:
    return agent("tool.called", seconds, name=name, tool_call_id=call, **data)


def tool_result(seconds: float, content: str, call: str, **data: Any) -> Json:
    return agent("tool.returned", seconds, content=content, tool_call_id=call, successful=True, **data)


def spoken(seconds: float, role: str, content: str) -> Json:
    return {"role": role, "content": content, "timestamp": moment(seconds), "words": []}


TOOLS = [
    Story(
        "tool calls that are numbered anew in every turn all stand",
        [
            CALL,
            tool_call(10, "get_weather", "call_0", arguments={"city": "Denver"}),
            tool_result(11, "12 C", "call_0"),
            tool_call(30, "book_taxi", "call_0", arguments={"from": "Moab"}),
            tool_result(31, "booked", "call_0"),
            tool_call(40, "end_call", "", arguments="", id="hang-up"),
        ],
        ongoing(cost=0.013333)
        | {
            "transcript_with_tool_calls": [
                called("get_weather", "call_0", '{"city":"Denver"}', 10),
                returned("call_0", "12 C", 11),
                called("book_taxi", "call_0", '{"from":"Moab"}', 30),
                returned("call_0", "booked", 31),
                called("end_call", "hang-up", "{}", 40),
            ]
        },
    ),
    Story(
        "a tool's result that is stamped before its call stands directly behind it",
        [
            CALL,
            turn(9, "Find Ms. Roe.", timestamp=moment(9)),
            tool_call(10, "search_patient", "search", arguments='{"full_name": "Roe"}'),
            tool_result(8.5, "No result returned.", "search", source="/tool-server"),
            turn(12, "I cannot find her.", role="agent", timestamp=moment(12)),
        ],
        ongoing(cost=0.004)
        | {
            "transcript_with_tool_calls": [
                spoken(9, "user", "Find Ms. Roe."),
                called("search_patient", "search", '{"full_name": "Roe"}', 10),
                returned("search", "No result returned.", 8.5),
                spoken(12, "assistant", "I cannot find her."),
            ]
        },
    ),
]


def sample(seconds: float, component: str, value: float, **data: Any) -> Json:
    return agent("latency.sampled", seconds, component=component, value_ms=value, **data)


LATENCY = [
    Story(
        "samples of other names and units are taken as they came",
        [
            CALL,
            sample(10, "llm", 0.68, unit="s"),
            sample(11, "llm", 0.91, unit="s"),
            sample(12, "llm", 1.24, unit="s"),
            *(sample(10 + n, "asr", value) for n, value in enumerate((0, 0, 0, 240))),
            sample(20, "LLM.ttft", 500),
        ],
        ongoing(cost=0.006667)
        | {
            "latency.llm.p50": 0.91,
            "latency.llm.values": [0.68, 0.91, 1.24],
            # p90: h = 3 * 0.9 = 2.7, so 0.7 of 240
            "latency.asr": {
                "max": 240,
                "min": 0,
                "num": 4,
                "p50": 0,
                "p90": 168,
                "p95": 204,
                "p99": 232.8,
                "values": [0, 0, 0, 240],
            },
            "latency.llm_ttft.values": [500],
        },
    ),
    Story(
        "a sample that is sent twice under one name counts once",
        [CALL, *(sample(10, "llm", 680, sample_id="request-1") for _ in range(2)), ending(60, "completed")],
        ended("completed", end=60, seconds=60, cost=0.02) | {"latency.llm.values": [680], "latency.llm.num": 1},
    ),
    Story(
        "a sample that is sent twice without a name counts twice",
        [CALL, *(sample(10, "llm", 680, request_id="request-1") for _ in range(2)), ending(60, "completed")],
        ended("completed", end=60, seconds=60, cost=0.02) | {"latency.llm.values": [680, 680]},
    ),
]

STORIES = (*WORDS, *TURNS, *SPEAKERS, *TOOLS, *LATENCY)
