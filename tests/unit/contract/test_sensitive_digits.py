"""Digits of a sensitive `call.dtmf`, which are nowhere."""

import json
from base64 import b64decode, b64encode
from typing import Any

import orjson
import pytest

from shared.contract.decode_event import canonical, decode_logged
from shared.contract.rejection import Reason
from tests.support.events.makers import STARTED, Json, accepted, binary, event, raw, rejected

CARD = "4111111111111111"
DATA = {"digits": CARD, "sensitive": True, "leg_id": "a", "other": 1.50}
LEFT = {"sensitive": True, "leg_id": "a", "other": 1.50}
READ = {"sensitive": True, "leg_id": "a"}


def dtmf(**attributes: Any) -> Json:
    return event("call.dtmf", at=STARTED) | {"data": DATA} | attributes


def test_they_are_neither_in_the_event_nor_in_the_log() -> None:
    read = accepted(raw(dtmf()))

    assert (read.data, read.problems) == (READ, ())
    assert orjson.loads(read.raw) == orjson.loads(raw(dtmf())) | {"data": LEFT, "id": read.ordering_key.id}
    assert CARD not in canonical(read.raw).decode()
    assert decode_logged(read.raw) == read


@pytest.mark.parametrize("flag", [True, "true", "yes", 1])
def test_each_flag_that_is_read_as_true_removes_them(flag: Any) -> None:
    read = accepted(raw(dtmf(data=DATA | {"sensitive": flag})))

    assert (read.data, CARD.encode() in read.raw) == (READ, False)


@pytest.mark.parametrize("flag", [False, "false", None, ""])
def test_others_do_not(flag: Any) -> None:
    body = dtmf(data=DATA | {"sensitive": flag})

    read = accepted(raw(body))

    assert (read.data["digits"], read.raw) == (CARD, raw(body))


def test_they_need_not_be_there() -> None:
    body = dtmf(data={"sensitive": True})

    assert accepted(raw(body)).raw == raw(body)
    assert rejected(raw(dtmf(data={"sensitive": False}))) == (Reason.MISSING, "`data.digits` is missing")


def test_they_are_removed_from_data_in_base64() -> None:
    encoded = b64encode(raw(DATA)).decode()

    read = accepted(raw(dtmf(data=None, data_base64=encoded)))

    assert read.data == READ
    assert json.loads(b64decode(orjson.loads(read.raw)["data_base64"])) == LEFT
    assert decode_logged(read.raw) == read


def test_they_are_removed_from_data_in_a_text() -> None:
    read = accepted(raw(dtmf(data=f"\ufeff {json.dumps(DATA)}")))

    assert read.data == READ
    assert json.loads(orjson.loads(read.raw)["data"]) == LEFT
    assert decode_logged(read.raw) == read


def test_they_are_removed_in_binary_mode() -> None:
    value, headers = binary(dtmf())

    assert CARD.encode() not in accepted(value, *headers).raw


@pytest.mark.parametrize(
    "text",
    [
        rb'{"d\u0069gits": "4111111111111111", "sensitive": true}',
        b'{"digits": "4111111111111111", "sensitive": false, "sensitive": true}',
        b'{"sensitive": true, "digits": "1", "digits": "4111111111111111"}',
        b'{"digits": ["4111111111111111"], "sensitive": true}',
        b'{"digits": 4111111111111111, "sensitive": true}',
    ],
)
def test_they_are_removed_however_they_are_spelled(text: bytes) -> None:
    value = raw(dtmf(data="HERE")).replace(b'"HERE"', text)

    read = accepted(value)

    assert (read.data, read.problems) == ({"sensitive": True}, ())
    assert CARD.encode() not in read.raw


ENCODED = b64encode(raw(DATA)).decode()


@pytest.mark.parametrize("encoded", [ENCODED, f"{ENCODED[:9]}\n{ENCODED[9:]}", b64encode(raw([DATA])).decode(), [CARD]])  # type: ignore[arg-type]
def test_base64_beside_data_does_not_count_and_is_left_out(encoded: Any) -> None:
    value = raw(dtmf(data_base64=encoded))

    read = accepted(value)

    assert orjson.loads(read.raw) == orjson.loads(raw(dtmf(data=LEFT, id=read.ordering_key.id)))
    assert decode_logged(read.raw) == read
    assert canonical(value) == canonical(read.raw)


@pytest.mark.parametrize(
    "first", ['[{"digits": "4111111111111111"}]', '"{4111111111111111"', '{"digits": 41111111111}']
)
def test_of_members_that_stand_twice_the_last_alone_stays(first: str) -> None:
    value = raw(dtmf(data={"sensitive": True}))
    doubled = value.replace(b'"data"', f'"data": {first}, "data_base64": "{ENCODED}", "data"'.encode())

    read = accepted(doubled)

    assert orjson.loads(read.raw) == orjson.loads(value)
    assert (b"41111111" in read.raw, ENCODED.encode() in read.raw) == (False, False)


def test_a_log_that_has_them_is_read_without_them() -> None:
    read = decode_logged(raw(dtmf()))

    assert getattr(read, "data", None) == READ
    assert canonical(raw(dtmf(id="1"))) == canonical(raw(dtmf(id="1", data=LEFT)))
