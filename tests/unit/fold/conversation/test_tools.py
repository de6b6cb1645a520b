"""The tool calls between the turns."""

from typing import Any

import pytest

from tests.support.events.makers import STARTED, Json, event, record


def with_tool_calls(*bodies: Json) -> list[Json]:
    entries = record(*bodies)["transcript_with_tool_calls"]
    assert isinstance(entries, list)
    return entries


def test_without_a_tool_event_there_are_no_entries() -> None:
    assert with_tool_calls(event("transcript.turn")) == []


def test_calls_and_results_are_between_the_turns() -> None:
    entries = with_tool_calls(
        event("transcript.turn", at=STARTED + 3, content="It is here"),
        event("tool.returned", at=STARTED + 2, content="found", successful=True),
        event("tool.called", at=STARTED + 1, name="find", arguments='{"order": 7}'),
        event("transcript.turn", at=STARTED, content="Where is it?", role="user"),
    )

    assert [entry["role"] for entry in entries] == ["user", "tool_call_invocation", "tool_call_result", "assistant"]
    assert entries[1] == {
        "role": "tool_call_invocation",
        "tool_call_id": "tool-1",
        "name": "find",
        "arguments": '{"order": 7}',
        "timestamp": STARTED + 1,
    }
    assert entries[2] == {
        "role": "tool_call_result",
        "tool_call_id": "tool-1",
        "content": "found",
        "successful": True,
        "timestamp": STARTED + 2,
    }


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (None, "{}"),
        ({"b": "é", "a": [1, 2.5]}, '{"a":[1,2.5],"b":"é"}'),
        ([True, None], "[true,null]"),
        ("as it came", "as it came"),
        ("", "{}"),
        (7, "7"),
        (False, "false"),
    ],
)
def test_arguments_are_a_string(arguments: Any, text: str) -> None:
    assert with_tool_calls(event("tool.called", arguments=arguments))[0]["arguments"] == text


def test_missing_arguments_are_an_empty_object() -> None:
    assert with_tool_calls(event("tool.called"))[0]["arguments"] == "{}"


def test_a_result_is_a_string_and_may_lack_its_success() -> None:
    (result,) = with_tool_calls(event("tool.returned", content={"b": 1, "a": 2}))

    assert (result["content"], result["successful"]) == ('{"a":2,"b":1}', None)


def test_calls_of_one_id_are_all_kept_unless_they_state_a_revision() -> None:
    plain = [event("tool.called", at=STARTED + n, name=f"plain {n}") for n in range(2)]
    revised = [event("tool.called", at=STARTED + 5 - n, name=f"revised {n}", revision=n) for n in range(3)]

    names = [entry["name"] for entry in with_tool_calls(*plain, *revised)]

    assert names == ["plain 0", "plain 1", "revised 2"]


def test_a_result_whose_call_has_a_later_time_stands_behind_it() -> None:
    entries = with_tool_calls(
        event("tool.returned", at=STARTED),
        event("transcript.turn", at=STARTED + 1),
        event("tool.called", at=STARTED + 2),
        event("transcript.turn", at=STARTED + 3),
    )

    assert [entry["role"] for entry in entries] == [
        "assistant",
        "tool_call_invocation",
        "tool_call_result",
        "assistant",
    ]


def test_equal_ids_of_two_sources_are_two_tool_calls() -> None:
    entries = with_tool_calls(event("tool.called", source="/a"), event("tool.called", source="/b"))

    assert len(entries) == 2
