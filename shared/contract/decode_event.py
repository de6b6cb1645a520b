"""The contract of events: `decode` from a record's bytes to an `Event`.

The usual event is read in one strict pass. Only what that does not accept is read again with care (`lenient`), field by
field: docs/decisions/0014.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from shared.contract import strict_json
from shared.contract.event import CallId, Envelope, Event, InvalidEvent, OrderingKey, OrganizationId
from shared.contract.lenient import json_text, read_event
from shared.contract.lenient.attributes import PRODUCER_TIME
from shared.contract.lenient.data import AHEAD_MS, TIMES, too_far
from shared.contract.modes import ATTRIBUTE_HEADERS, Headers, Mode, framing, is_tombstone, mode, structured
from shared.contract.payloads import OPT_OUT, TYPES
from shared.contract.problems import Problem, distinct
from shared.contract.rejection import Reason, Refused
from shared.contract.strict.readers import PROBLEMS, NeedsCare, reader
from shared.contract.strict.vouching import WITH_CARE, vouched
from shared.contract.timestamps import milliseconds
from shared.contract.topics import MAX_EVENT_BYTES, MAX_STRUCTURED_BYTES

__all__ = [
    "ATTRIBUTE_HEADERS",
    "CallId",
    "Envelope",
    "Event",
    "Headers",
    "InvalidEvent",
    "Mode",
    "OrderingKey",
    "OrganizationId",
    "canonical",
    "decode",
    "decode_logged",
    "decode_sent",
    "is_tombstone",
    "mode",
    "producer_time",
    "too_large",
]

canonical = read_event.canonical

_ENTANGLED = ("call.dtmf", "cost.reported")
"""Types of which a field that cannot be read changes what another one means."""

_FRAMED = (Reason.NOT_JSON, Reason.NOT_AN_OBJECT, Reason.NOT_CLOUDEVENTS)


# What a named tuple's own constructor calls, at half its time.
_new = tuple.__new__


def decode(value: bytes | None, headers: Headers = (), *, arrival: int) -> Event | InvalidEvent:
    """Return the event in a record's value and headers, in structured or binary mode, or why it is invalid.

    `arrival`: when the record arrived (Unix milliseconds), the time of an event whose own clock is wrong. Does not
    raise, whatever a producer sends.
    """
    return decode_sent(value, headers, arrival)[0]


def decode_sent(value: bytes | None, headers: Headers, arrival: int) -> tuple[Event | InvalidEvent, int]:
    """Return what `decode` does, and what the log may vouch for (`strict/vouching.py`)."""
    raw = value or b""
    if len(raw) > MAX_EVENT_BYTES:
        return too_large(len(raw)), WITH_CARE
    if headers and mode(headers) is Mode.BINARY:
        try:
            raw = structured(raw, headers)
        except Refused as refused:
            return _with_framing(InvalidEvent(refused.reason, refused.detail), raw, headers), WITH_CARE
        if len(raw) > MAX_STRUCTURED_BYTES:
            return too_large(len(raw), MAX_STRUCTURED_BYTES, "the event with its headers"), WITH_CARE
    body = None
    try:
        body = strict_json.parse(raw)
        event = _strict(raw, body, arrival + AHEAD_MS, 0)
        return event, WITH_CARE if _cared() else vouched(event, body)
    except (ValueError, NeedsCare):
        PROBLEMS.set(None)
        found = read_event.read_sent(raw, arrival, body)
    return (_with_framing(found, value or b"", headers) if isinstance(found, InvalidEvent) else found), WITH_CARE


def _with_framing(found: InvalidEvent, value: bytes, headers: Headers) -> InvalidEvent:
    if found.reason not in _FRAMED:
        return found
    return InvalidEvent(found.reason, found.detail + framing(value, headers))


def too_large(size: int, limit: int = MAX_EVENT_BYTES, what: str = "the value") -> InvalidEvent:
    return InvalidEvent(Reason.TOO_LARGE, f"{what} has {size} bytes, the limit is {limit}")


def decode_logged(raw: bytes, redacted_at: int = 0) -> Event | InvalidEvent:
    """Return the event in `raw`, JSON in structured mode of any size, or why it is invalid.

    `redacted_at`: when its document in the log was redacted (Unix milliseconds, 0: never).
    """
    body = None
    try:
        body = strict_json.parse(raw)
        return _strict(raw, body, _ANY_TIME, redacted_at)
    except (ValueError, NeedsCare):
        return read_event.read_logged(raw, redacted_at, body)
    finally:
        _cared()


def _cared() -> bool:
    """Return whether a field of the event that was just read was read with care, and forget it."""
    if PROBLEMS.get() is None:
        return False
    PROBLEMS.set(None)
    return True


def producer_time(raw: bytes) -> str | None:
    """Return the attribute `producertime` of an event of the log: what its producer's wrong clock said, or None."""
    found = json_text.parse(raw).value.get(PRODUCER_TIME)
    return None if found is None else str(found)


_ANY_TIME = 2**63


def _strict(raw: bytes, body: Any, latest: int, redacted_at: int) -> Event:
    """Return the event if nothing is wrong with it and nothing has to be read as anything else; `body` is `raw` parsed.

    `latest`: the greatest time that a clock which is right can give.

    Raises:
        ValueError, NeedsCare: the event has to be read with care.
    """
    try:
        kind = body["type"]
        read, check = (_REDACTED_READERS if redacted_at else _READERS).get(kind, _UNKNOWN_TYPE)
    except (TypeError, KeyError) as error:
        raise NeedsCare from error
    event = read(body)
    found = PROBLEMS.get()
    problems = () if found is None else _distinct(kind, found)
    time = milliseconds(event["time"])
    if time > latest or PRODUCER_TIME in body:
        raise NeedsCare
    data, opts_out = event.get("data"), False
    if data is None:
        if "data_base64" in body:
            raise NeedsCare
        data = {} if kind in _READERS else None
    else:
        sent = body["data"]
        if type(sent) is dict:
            if OPT_OUT in sent:
                flag = sent[OPT_OUT]
                opts_out = flag is True
                if not (opts_out or flag is None or flag is False):
                    raise NeedsCare
        elif type(sent) is str:  # it may hold an object
            raise NeedsCare
    if check is not None and not check(data, time):
        raise NeedsCare
    sequence, identifier = event.get("sequence"), event["id"]
    sequence = "" if sequence is None else str(sequence)
    ordering_key = _new(OrderingKey, (time, len(sequence), sequence, event["source"], len(identifier), identifier))
    organization, call = event["organizationid"], event["subject"]
    return _new(Event, (organization, call, kind, time, ordering_key, data, opts_out, raw, redacted_at, problems))


def _distinct(kind: str, found: list[Problem]) -> tuple[Problem, ...]:
    if kind in _ENTANGLED:
        raise NeedsCare
    return distinct(found)


# Times inside data that may be wrong though they are times, and what else no type can say.

Check = Callable[[dict[str, Any], int], bool]
_NOTHING = Decimal(0)


def _near(names: tuple[str, ...]) -> Check:
    """Return what checks that the times of these names lie near the event's."""

    def check(data: dict[str, Any], time: int) -> bool:
        return not any(name in data and too_far(name, data[name], time) for name in names)

    return check


def _turn_near(data: dict[str, Any], time: int) -> bool:
    latest = time + AHEAD_MS
    try:
        for word in data.get("words", ()):  # a plain loop takes half the time of max() and itemgetter()
            if word["end"] > latest or word["start"] > latest:
                return False
    except KeyError:  # the usual words have both
        if any(word.get("start", 0) > latest or word.get("end", 0) > latest for word in data["words"]):
            return False
    return bool(data.get("timestamp", 0) <= latest and data.get("end_timestamp", 0) <= latest)


def _digits_known(data: dict[str, Any], _: int) -> bool:
    return "digits" in data and not data.get("sensitive")


def _no_negative_charge(data: dict[str, Any], _: int) -> bool:
    cost: Decimal = data.get("cost", _NOTHING)  # a redacted event may have none
    return cost >= 0 or data.get("kind") == "adjustment"


_CHECKS: dict[str, Check] = {
    **{kind: _near(names) for kind, names in TIMES.items()},
    "transcript.turn": _turn_near,
    "call.dtmf": _digits_known,
    "cost.reported": _no_negative_charge,
}

_READERS = {kind: (reader(model), _CHECKS.get(kind)) for kind, model in TYPES.items()}
_REDACTED_READERS = {kind: (reader(model, required=False), _CHECKS.get(kind)) for kind, model in TYPES.items()}
_UNKNOWN_TYPE = (reader(), None)
