"""The fast paths of reading return what the plain rule returns: the same value, or the same error."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.contract import strict_json
from shared.contract.decode_event import Event, OrderingKey, decode
from shared.contract.lenient import json_text
from shared.contract.payloads import OPT_OUT
from shared.contract.timestamps import EARLIEST_MS, LATEST_MS, milliseconds, parse
from tests.support.events.makers import Json, raw
from tests.support.events.strategies import events

_AROUND_THE_LIMITS = st.sampled_from([10**17, 10**18, 2**63 - 1, 2**63, 2**64, 10**21, 10**40, 10**400])
_INTEGER = st.integers() | st.builds(lambda sign, number: sign * number, st.sampled_from([1, -1]), _AROUND_THE_LIMITS)
_NUMBER = st.builds("{}{}".format, _INTEGER, st.sampled_from(["", "", "", ".5", ".12345678901234567890", "e5", "e-5"]))
_PIECE = _INTEGER.map(str) | st.sampled_from(
    [r"\u0000", r"\\u0000", r"\u0001", r"\ud83d\ude00", r"\"", r"\n", "{", "[[", "}", "é", "電", "٣٣٣٣٣٣٣٣٣٣"]
)
_TEXT = st.lists(_PIECE, max_size=3).map(lambda parts: f'"{"".join(parts)}"')
_NO_JSON = st.sampled_from([r'"\ud800"', r'"\x"', '"\x00"', "NaN", "1e400", "01", "1.", "", "{", "]"])
_SCALAR = _NUMBER | _TEXT | st.sampled_from(["true", "null"])
_SPACE = st.sampled_from(["", " ", "\n"])


def _inside(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.builds("{}:{}{}".format, _TEXT, _SPACE, inner), max_size=3)
    lists = st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
    return lists | pairs.map(lambda items: f"{{{','.join(items)}}}")


_DEPTH = st.sampled_from([1, 2, 62, 63, 64, 65, 66, 1_500])
_NESTED = st.builds(
    lambda opening, depth, inside, closing: opening * depth + inside + closing * depth,
    *(st.just("["), _DEPTH, _SCALAR, st.just("]")),
) | st.builds(lambda key, depth: f"{{{key}:" * depth + "1" + "}" * depth, _TEXT, _DEPTH)
_VALUE = st.recursive(_SCALAR | _NESTED, _inside, max_leaves=8)
JSON = st.one_of(_VALUE, _VALUE, _VALUE, _inside(_SCALAR | _NO_JSON)).map(str.encode)

_SECOND = st.integers(EARLIEST_MS // 1000 - 2, LATEST_MS // 1000 + 2)
_MOMENT = _SECOND.map(lambda second: f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}")
_FIELD = st.sampled_from(["00", "01", "02", "12", "23", "24", "29", "30", "31", "60", "1²", " 1"])
_PLACES = st.sampled_from(
    ["", ".", ".0", ".00", ".000", ".999", ".1239", ".123456789", ".12 ", ".1_2", ",000", "0000", ".²²²", ".٣٣٣"]
)
_YEAR = st.sampled_from(["1999", "2000", "2023", "2024", "2100", "2101", "0000", "٢٠٢٣"])
_ODD_MOMENT = st.builds(
    "{}-{}-{}{}{}:{}:{}".format, _YEAR, _FIELD, _FIELD, st.sampled_from("Tt "), _FIELD, _FIELD, _FIELD
)
_ZONE = st.sampled_from(["Z", "Z", "Z", "z", "", "0", "+00:00", "-05:30", "ZZ"])
TIMES = st.builds("{}{}{}".format, _MOMENT, _PLACES, _ZONE)
ODD_TIMES = st.builds("{}{}{}".format, _ODD_MOMENT, _PLACES, _ZONE)


def outcome(read: Callable[[Any], Any], value: Any) -> tuple[str, str]:
    """Return the value, with the types of numbers and the order of keys, or the error and its message."""
    try:
        return "", repr(read(value))
    except ValueError as error:
        return type(error).__name__, str(error)


def plain(text: bytes) -> Any:
    """Return what `strict_json.parse` returns, without its fast paths."""
    too_deep = strict_json.TooDeep("objects and lists are nested deeper than 64")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "depth limit" in str(error):
            raise too_deep from error
        raise
    if _depth(value) > strict_json.MAX_DEPTH:
        raise too_deep
    json.loads(text, parse_int=_int64)
    if any("\x00" in key for key in _keys(value)):
        raise strict_json.NulInKey("a key contains the character NUL")
    return value


def _int64(digits: str) -> int:
    if int(digits) not in strict_json.INT64:
        raise strict_json.NumberOutOfRange(f"an integer of {len(digits.lstrip('-'))} digits is outside signed 64 bits")
    return int(digits)


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _depth(value: Any) -> int:
    return isinstance(value, dict | list) + max(map(_depth, _children(value)), default=0)


def _keys(value: Any) -> list[str]:
    own = list(value) if isinstance(value, dict) else []
    return own + [key for child in _children(value) for key in _keys(child)]


@given(JSON)
@example(b"9" * 19)
@example(b'{"a": 9223372036854775808, "a": 1}')
@example(rb'{"\u0000": 9223372036854775808}')
@example(b"[" * 65 + b"9223372036854775808" + b"]" * 65)
def test_json_is_read_as_by_the_plain_rule(text: bytes) -> None:
    assert outcome(strict_json.parse, text) == outcome(plain, text)


@given(events(), JSON)
def test_so_is_an_event_with_any_json_inside(body: Json, inside: bytes) -> None:
    text = raw(body | {"anything": "HERE"}).replace(b'"HERE"', inside)

    assert outcome(strict_json.parse, text) == outcome(plain, text)


_SURROGATES = st.sampled_from([r"\ud800", r"\uDFFF", r"\ud83d", r"\ude00", r"\\ud83d", r"\ud83d\ude00"])
_CUT_TEXT = st.lists(_PIECE | _SURROGATES, max_size=4).map(lambda parts: f'"{"".join(parts)}"')
_CUT = st.recursive(
    _CUT_TEXT | _INTEGER.map(str) | st.just("1.5"),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.builds("{}:{}".format, _CUT_TEXT, inner), max_size=3).map(lambda items: f"{{{','.join(items)}}}")
    ),
    max_leaves=8,
).map(str.encode)


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in value)
        case list():
            return [_without_surrogates(inner) for inner in value]
        case _:
            return value


def _last_counts(pairs: list[tuple[str, Any]]) -> Json:
    return {_without_surrogates(key): _without_surrogates(value) for key, value in pairs}


@given(_CUT)
@example(b'[%d, "\\ud83d"]' % 10**400)
@example(b'{"\\ud83d": %d}' % 10**400)
@example(b'"\\"\\ud800"')
def test_json_with_halves_of_characters_and_long_integers_is_read_as_by_the_plain_rule(text: bytes) -> None:
    plainly = _without_surrogates(json.loads(text, object_pairs_hook=_last_counts))

    read, marked = json_text.parse(text)

    assert json.dumps(read, ensure_ascii=False).encode()
    assert _digits(read) == _digits(plainly)
    assert (marked is None) == _is_whole(text)


def _is_whole(text: bytes) -> bool:
    """Return whether no text has a lone surrogate, keys that stand twice included."""
    value = json.loads(text, object_pairs_hook=lambda pairs: [list(pair) for pair in pairs])
    return bool(value == _without_surrogates(value))


def _digits(value: Any) -> Any:
    """Return the value with the digits of each integer beyond 64 bits."""
    match value:
        case dict():
            return {key: _digits(inner) for key, inner in value.items()}
        case list():
            return [_digits(inner) for inner in value]
        case int() if value not in strict_json.INT64:
            return str(value)
        case _:
            return value


@given(TIMES, ODD_TIMES)
@example("2000-01-01T00:00:00.000Z", "1999-12-31T23:59:60.000Z")
@example("2100-12-31T23:59:59.999Z", "2100-12-31T23:59:60.000Z")
@example("2023-W51-3T18:45:00.000Z", "20231220T184500.0000000Z")
def test_a_time_is_read_as_by_the_plain_rule_whether_its_second_is_cached_or_not(one: str, odd: str) -> None:
    plainly = [outcome(parse, text) for text in (one, odd, "", one, odd)]

    assert [outcome(milliseconds, text) for text in (one, odd, "", one, odd)] == plainly


@given(events(opt_out=True))
def test_an_event_has_each_value_in_its_field(body: Json) -> None:
    time, data = parse(body["time"]), body["data"]
    sequence = "" if body["sequence"] is None else str(body["sequence"])

    read = decode(raw(body), arrival=LATEST_MS)

    assume(isinstance(read, Event) and not read.problems)  # a strategy may draw others
    assert isinstance(read, Event)
    assert read == Event(
        organization_id=body["organizationid"],
        call_id=body["subject"],
        type=body["type"],
        time=time,
        ordering_key=OrderingKey(
            time=time,
            sequence_length=len(sequence),
            sequence=sequence,
            source=body["source"],
            id_length=len(body["id"]),
            id=body["id"],
        ),
        data=read.data,
        opts_out=isinstance(data, dict) and str(data.get(OPT_OUT)).lower() == "true",
        raw=read.raw,
    )
    assert (type(read), type(read.ordering_key)) == (Event, OrderingKey)
