"""All that a dead letter holds, without any loss."""

import base64
from typing import Any

from shared.dead_letters.dead_letter import DeadLetter


def content_of(letter: DeadLetter) -> dict[str, Any]:
    r"""Return all of a dead letter.

    `key`, `headers` (pairs of a name and its bytes, in their order) and `value` follow the fields that the list shows.
    Bytes are `{"text": ...}` if they are UTF-8, else `{"base64": ...}`, and null if there are none.
    """
    record = letter.record
    headers = [[name, readable(value)] for name, value in record.headers]
    content = {"key": readable(record.key), "headers": headers, "value": readable(record.value)}
    return letter.described() | content


def readable(content: bytes | None) -> dict[str, str] | None:
    if content is None:
        return None
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
