"""The form in which two bodies under one identity are compared (docs/record.md, Conflicts)."""

from base64 import b64encode
from typing import Any

import pytest

from shared.contract.decode_event import canonical
from tests.support.events.makers import STARTED, Json, event, raw

BODY = event("call.note", id="1", at=STARTED)
FORM = (
    '{"data":{"event":"Said thanks"},"id":"1","organizationid":"org-789","sequence":null,"source":"/twilio/AC0001",'
    '"specversion":"1.0","subject":"call-456","time":"2023-12-20T18:40:30.000Z","type":"call.note"}'
)


def data_of(form: bytes) -> str:
    text = form.decode()
    return text[len('{"data":') : text.index(',"id":')]


def test_it_has_nine_keys_sorted_and_without_spaces() -> None:
    assert canonical(raw(BODY)).decode() == FORM


@pytest.mark.parametrize(
    "other",
    [
        dict(reversed(BODY.items())),
        BODY | {"time": "2023-12-20 19:40:30.0001+01:00"},
        BODY | {"sequence": ""},
        BODY | {"sequence": None},
        BODY | {"sequence": ["unusable"]},
        BODY | {"specversion": 1.0},
        BODY | {"specversion": 1},
        BODY | {"id": 1},
        BODY | {"traceparent": "00", "another": 1},
        BODY | {"data": None, "data_base64": b64encode(b'{"event":"Said thanks"}').decode()},
    ],
)
def test_bodies_of_one_form_are_one_body(other: Json) -> None:
    assert canonical(raw(other)).decode() == FORM


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"null", "null"),
        (b"{}", "{}"),
        (b'"{}"', '"{}"'),
        (b'{"b": 1.0, "a": [1e2, 1]}', '{"a":[100.0,1],"b":1.0}'),
        (b'{"a": 123456789012345678901}', '{"a":123456789012345678901}'),
        (b'{"a": "123456789012345678901"}', '{"a":"123456789012345678901"}'),
        (rb'"\ud800 \u00e9"', '"\ufffd é"'),
        (rb'{"a\u0000": "\u0000"}', r'{"a\u0000":"\u0000"}'),
        (b"9" * 100_000, "9" * 100_000),
    ],
)
def test_data_is_as_it_came(data: bytes, form: str) -> None:
    assert data_of(canonical(raw(BODY | {"type": "x", "data": "HERE"}).replace(b'"HERE"', data))) == form


def test_no_data_is_null() -> None:
    body = {name: value for name, value in BODY.items() if name != "data"} | {"type": "x"}

    assert data_of(canonical(raw(body))) == "null"


@pytest.mark.parametrize(("sent", "form"), [(3, '"3"'), ("03", '"03"'), (10**20, '"100000000000000000000"')])
def test_a_sequence_is_a_text(sent: Any, form: str) -> None:
    assert f'"sequence":{form},' in canonical(raw(BODY | {"sequence": sent})).decode()
