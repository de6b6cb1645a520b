"""What an event carries as `data`, in whichever form it was sent."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.contract.lenient import json_text
from shared.contract.lenient.json_text import BigInteger, Parsed
from shared.contract.rejection import Reason, Refused, unreadable
from shared.contract.strict_json import MAX_DEPTH

_SPACE = " \t\n\r\ufeff"
_JSON_TYPES = ("", "application/json", "text/json")
_DEPTH = MAX_DEPTH - 1  # the event's object is the first level


class SentData(NamedTuple):
    """The data, and the same with a mark for each lone surrogate, None if there is none."""

    value: Any
    marked: Any


def sent_data(parsed: Parsed) -> SentData:
    """Return what an event has as `data`, or in `data_base64` where it has no `data`.

    Raises:
        Refused: `data_base64` cannot be decoded.
    """
    body, marked = parsed
    if read_from(body) == "data_base64":
        return SentData(*_decoded(body["data_base64"], body))
    return SentData(body.get("data"), None if marked is None else marked.get("data"))


def read_from(body: Mapping[str, Any]) -> str:
    """Return which member of an event holds its data: `data`, or `data_base64` where there is no `data`."""
    return "data_base64" if body.get("data") is None and body.get("data_base64") not in (None, "") else "data"


def opened(sent: SentData) -> SentData:
    """Return the object that a text holds as JSON; anything else as it is."""
    if type(sent.value) is dict:
        return sent
    text = sent.value if sent.marked is None else sent.marked
    if not isinstance(text, str) or isinstance(text, BigInteger) or not text.lstrip(_SPACE).startswith("{"):
        return sent
    try:
        held = json_text.parse(text.encode("utf-8", "surrogatepass"), _DEPTH)
    except ValueError:
        return sent
    return SentData(*held) if isinstance(held.value, dict) else sent


def _decoded(encoded: Any, body: Mapping[str, Any]) -> Parsed:
    content_type = body.get("datacontenttype")
    named = "" if content_type is None else str(content_type).partition(";")[0].strip().lower()
    if named not in _JSON_TYPES and not named.endswith("+json"):
        raise Refused(Reason.WRONG_TYPE, "`data_base64` must be JSON, but `datacontenttype` names something else")
    try:
        text = b64decode(encoded, validate=True)
    except (ValueError, TypeError) as error:
        raise Refused(Reason.NOT_BASE64, "`data_base64` is not base64") from error
    try:
        return json_text.parse(text, _DEPTH)
    except ValueError as error:
        raise unreadable(error, text, "`data_base64`") from error
