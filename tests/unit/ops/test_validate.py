"""`callfold validate`: what it refuses, what it warns of, and how it ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from services.ops.app import create_app
from services.ops.events import doubts
from services.ops.events.doubts import Doubts
from services.ops.events.lines import Line
from shared.contract.decode_event import Event, canonical, decode
from shared.process.clock import now_ms
from tests.support.callfold import run
from tests.support.events.makers import STARTED, accepted, event, raw

Validate = Callable[..., Result]

YEAR_MS = 366 * 24 * 3_600_000


@pytest.fixture
def validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Validate:
    """Return a function that validates these lines as the file `events.jsonl`."""
    monkeypatch.chdir(tmp_path)

    def validated(*lines: bytes, options: tuple[str, ...] = ()) -> Result:
        Path("events.jsonl").write_bytes(b"\n".join(lines))
        return CliRunner().invoke(create_app(), ["validate", *options, "events.jsonl"])

    return validated


def doubts_of(*lines: bytes) -> list[list[tuple[str, str | None]]]:
    """Return the kinds and fields of what is doubtful in each of these lines of one file."""
    found, events = Doubts(), [decode(line, arrival=now_ms()) for line in lines]
    return [
        [(doubt.kind, doubt.field) for doubt in found.of(Line(number, line, len(line)), each)]
        for number, (line, each) in enumerate(zip(lines, events, strict=True), 1)
        if isinstance(each, Event)
    ]


def test_each_invalid_line_is_named_with_its_reason() -> None:
    note = raw(event("call.note") | {"subject": "\x1b[2J"})
    text = raw(event("call.dtmf")) + b"\n\n{\n" + note + b"\r\n" + raw(event("call.dtmf"))

    done = run("validate", "-", text=text)

    assert (done.returncode, done.stdout) == (1, b"2 valid, 0 warnings, 2 refused\n")
    first, second = done.stderr.decode().splitlines()
    assert first.startswith("standard input:3: not_json: ")
    assert second.startswith("standard input:4: out_of_bounds: `subject` must be ")


def test_valid_lines_are_counted(validate: Validate) -> None:
    done = validate(raw(event("call.dtmf")), raw(event("call.ringing")), options=("--strict",))

    assert (done.exit_code, done.stdout, done.stderr) == (0, "2 valid, 0 warnings, 0 refused\n", "")


def test_a_warning_names_line_kind_and_field_and_does_not_fail(validate: Validate) -> None:
    done = validate(raw(event("call.dtmf")), raw(event("call.ended", duration_ms=-1, endedby="user")))

    assert (done.exit_code, done.stdout) == (0, "2 valid, 2 warnings, 0 refused\n")
    first, second = done.stderr.splitlines()
    assert first.startswith("events.jsonl:2: warning: field_unreadable: `data.duration_ms` ")
    assert second == (
        "events.jsonl:2: warning: unknown_field: `data.endedby` is no field of `call.ended`: did you mean `ended_by`?"
    )


def test_strict_fails_on_a_warning(validate: Validate) -> None:
    done = validate(raw(event("call.ended", endedby="user")), options=("--strict",))

    assert (done.exit_code, done.stdout) == (1, "1 valid, 1 warnings, 0 refused\n")


def test_a_type_that_resembles_a_known_one_is_a_warning_and_another_unknown_one_is_not(validate: Validate) -> None:
    done = validate(raw(event("call.end")), raw(event("com.example.call.ended.v1")), raw(event("billing.closed")))

    assert (done.exit_code, done.stdout) == (0, "3 valid, 2 warnings, 0 refused\n")
    warning = "warning: unknown_type: `{}` is no type of the contract: did you mean `call.ended`?"
    *warnings, unknown = done.stderr.splitlines()
    assert warnings == [
        f"events.jsonl:1: {warning.format('call.end')}",
        f"events.jsonl:2: {warning.format('com.example.call.ended.v1')}",
    ]
    assert unknown.endswith(": billing.closed, call.end, com.example.call.ended.v1")


def test_an_identity_with_another_body_is_a_warning_that_names_the_first_line(validate: Validate) -> None:
    first, second = (raw(event("call.dtmf", id="1", digits=digits)) for digits in "12")

    done = validate(first, first, second, raw(event("call.dtmf", id="1", digits="3", call="another")))

    assert done.stdout == "4 valid (1 repeated), 1 warnings, 0 refused\n"
    assert done.stderr == (
        "events.jsonl:2: note: line 1 has the same event: it counts once\n"
        "events.jsonl:3: warning: conflict: line 1 has another body under the same `source` and `id`: only one of the "
        "two counts\n"
    )


def test_of_many_alike_warnings_the_first_hundred_are_printed(validate: Validate) -> None:
    lines = [raw(event("call.ringing", spin=1)), *(raw(event("call.ringing", turn=1)) for _ in range(103))]

    done = validate(*lines)

    assert done.stdout == "104 valid, 104 warnings, 0 refused\n"
    printed = done.stderr.splitlines()
    assert len(printed) == 102
    assert printed[-1] == "events.jsonl: 3 more warnings: unknown_field of `data.turn`"


def test_a_warning_is_printed_without_control_characters(validate: Validate) -> None:
    done = validate(raw(event("call.ringing") | {"data": {"\x1b[2J": 1}}))

    assert "\x1b" not in done.stderr
    assert r"`data.\x1b[2J` is no field" in done.stderr


def test_an_event_that_is_in_the_file_twice_is_no_failure(validate: Validate) -> None:
    twice = [raw(event("call.dtmf", id="1"))] * 2

    done = validate(*twice, options=("--strict",))

    assert (done.exit_code, done.stdout) == (0, "2 valid (1 repeated), 0 warnings, 0 refused\n")


def test_programs_get_every_finding_and_the_sums(validate: Validate) -> None:
    first, second = (raw(event("call.dtmf", id="1", digits=digits)) for digits in "12")

    done = validate(first, first, second, b"{}", raw(event("call.moved")), options=("--json",))

    found = orjson.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (1, "")
    assert [(each["severity"], each["line"], each["kind"], each["earlier_line"]) for each in found["findings"]] == [
        ("note", 2, "repeated", 1),
        ("warning", 3, "conflict", 1),
        ("error", 4, "not_cloudevents", None),
    ]
    assert {name: found[name] for name in found if name != "findings"} == {
        "valid": 4,
        "repeated": 1,
        "warnings": 1,
        "refused": 1,
        "unknown_types": ["call.moved"],
    }


def test_a_file_without_findings_is_json_too(validate: Validate) -> None:
    done = validate(raw(event("call.dtmf")), options=("--json",))

    assert orjson.loads(done.stdout)["findings"] == []


def indented(*bodies: Any) -> bytes:
    return b"\n".join(orjson.dumps(body, option=orjson.OPT_INDENT_2) for body in bodies)


def test_events_over_several_lines_are_checked_and_named_by_their_first_line(validate: Validate) -> None:
    good = event("call.dtmf", id="1")

    done = validate(indented(good, event("call.dtmf") | {"subject": 1.5}, good))

    lines = len(indented(good).splitlines())
    assert (done.exit_code, done.stdout) == (1, "2 valid (1 repeated), 1 warnings, 1 refused\n")
    refused, note, layout = done.stderr.splitlines()
    assert refused.startswith(f"events.jsonl:{lines + 1}: wrong_type: `subject`")
    assert note.startswith(f"events.jsonl:{2 * lines + 1}: note: line 1 has the same event")
    assert layout == (
        "events.jsonl: warning: layout: has events over several lines; `publish` takes one event a line: "
        "jq -c '.' events.jsonl | callfold publish -"
    )


@pytest.mark.parametrize(
    "text", [orjson.dumps([event("call.dtmf"), 7]), b"\n [" + indented(event("call.dtmf")) + b",\n7\n]\n"]
)
def test_the_events_of_an_array_are_checked(validate: Validate, text: bytes) -> None:
    done = validate(text)

    assert (done.exit_code, done.stdout) == (1, "1 valid, 1 warnings, 1 refused\n")
    refused, layout = done.stderr.splitlines()
    assert ": not_an_object: " in refused
    assert "is a JSON array; `publish` takes one event a line: jq -c '.[]' events.jsonl | callfold publish -" in layout


@pytest.mark.parametrize("text", [b"[@]", b"[ @ , @ ]\n", b"[]", b"{\n" + raw(event("call.dtmf"))[1:]])
def test_a_mark_of_the_byte_order_hides_no_layout(validate: Validate, text: bytes) -> None:
    done = validate(b"\xef\xbb\xbf" + text.replace(b"@", raw(event("call.dtmf"))))

    assert ", 1 warnings, 0 refused\n" in done.stdout
    assert "warning: layout: " in done.stderr


def test_strict_fails_on_a_file_that_publish_does_not_take(validate: Validate) -> None:
    done = validate(indented(event("call.dtmf")), options=("--strict",))

    assert (done.exit_code, done.stdout) == (1, "1 valid, 1 warnings, 0 refused\n")


@pytest.mark.parametrize(
    "text",
    [b"[@, {", b"[@] {", b"{\n" * 2_000, b"[@", b"[@,", b"[@,\n", b"[", b"[@,]", b"[,@]", b"[@ @]", b"[@,,@]", b"[@]]"],
)
def test_what_is_no_json_is_refused_once(validate: Validate, text: bytes) -> None:
    done = validate(text.replace(b"@", raw(event("call.dtmf"))))

    assert done.exit_code == 1
    assert ", 1 refused" in done.stdout
    assert ": not_json: " in done.stderr or ": too_deep: " in done.stderr


BODY = event("call.updated", id="1", metadata={"a": 1.5, "b": [{"y": 2**70, "x": None}]}, agent_id="a")
OTHER_SPELLINGS: dict[str, Any] = {
    "keys in another order": dict(reversed(BODY.items())),
    "an ignored attribute": BODY | {"datacontenttype": "application/json"},
    "an empty sequence": BODY | {"sequence": ""},
    "another zone": BODY | {"time": "2023-12-20T19:40:30+01:00"},
    "a number": BODY | {"specversion": 1.0},
}
OTHER_BODIES: dict[str, Any] = {
    "a sequence": BODY | {"sequence": 7},
    "another type": BODY | {"type": "call.created"},
    "another time": event("call.updated", id="1", at=STARTED + 1) | {"data": BODY["data"]},
    "other data": BODY | {"data": BODY["data"] | {"agent_id": "b"}},
    "a field that is not read": BODY | {"data": BODY["data"] | {"x": 1}},
    "no data": {name: value for name, value in BODY.items() if name != "data"},
    "text": BODY | {"data": raw(BODY["data"]).decode()},
}


@pytest.mark.parametrize("other", OTHER_SPELLINGS.values(), ids=OTHER_SPELLINGS)
def test_another_spelling_is_the_same_body(other: Any) -> None:
    assert canonical(accepted(raw(other)).raw) == canonical(raw(BODY))
    assert "conflict" not in {kind for kind, _ in doubts_of(raw(BODY), raw(other))[1]}


@pytest.mark.parametrize("other", OTHER_BODIES.values(), ids=OTHER_BODIES)
def test_a_body_that_is_another_to_the_fold_is_a_conflict(other: Any) -> None:
    assert canonical(accepted(raw(other)).raw) != canonical(raw(BODY))
    assert ("conflict", None) in doubts_of(raw(BODY), raw(other))[1]


def test_bodies_that_differ_in_a_wrong_clock_alone_are_no_conflict() -> None:
    ahead, missing = BODY | {"time": "2099-01-01T00:00:00Z"}, BODY | {"time": None}

    found = doubts_of(raw(ahead), raw(missing), raw(BODY), raw(BODY | {"time": "never", "data": {}}))

    assert [kinds[0] for kinds in found[:2]] == [("time_ahead", None), ("time_unreadable", None)]
    assert [("conflict", None) in kinds for kinds in found] == [False, False, False, True]


def test_secret_digits_are_not_compared() -> None:
    first, second = (raw(event("call.dtmf", id="1", digits=digits, sensitive=True)) for digits in "12")

    assert doubts_of(first, second) == [[], [("repeated", None)]]


def test_data_in_base64_and_halves_of_characters_are_compared_too() -> None:
    lines = [b'{"a":1}', b'{"a":2}', b'"\\ud83d"', b'"x"']
    encoded = [
        raw({**event("call.moved", id="1"), "data": None, "data_base64": text})
        for text in ("eyJhIjoxfQ==", "eyJhIjoyfQ==")
    ]
    plain = [raw(event("call.moved", id="1") | {"data": 0}).replace(b'"data": 0', b'"data": ' + text) for text in lines]

    found = doubts_of(encoded[0], plain[0], encoded[1], plain[1], plain[2], plain[3])

    assert [("conflict", None) in kinds for kinds in found] == [False, False, True, True, True, True]


def test_the_oldest_identities_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts, "_MOST_REMEMBERED", 2)
    lines = [raw(event("call.ringing", id=name, at=STARTED + at)) for at, name in enumerate("12321")]

    found = doubts_of(*lines)

    assert [len(kinds) for kinds in found] == [0, 0, 0, 1, 0]


def test_a_clock_that_is_an_hour_ahead_is_a_warning() -> None:
    ahead = raw(event("call.ringing", at=now_ms() + YEAR_MS))

    assert doubts_of(ahead) == [[("time_ahead", None)]]
