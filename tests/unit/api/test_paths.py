"""Paths are matched as the client sent them, whatever the server does to them."""

from typing import Any

import pytest

from services.api.paths import decoded, encoded_path


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({"path": "/a/b/details", "raw_path": b"/a%2Fb/details"}, "/a%2Fb/details"),
        ({"path": "/a%2Fb", "raw_path": b"/a%252Fb"}, "/a%252Fb"),
        ({"path": "/\ufffd", "raw_path": b"/\xff"}, "/\xff"),
        ({"path": "/a/b c%", "raw_path": None}, "/a/b%20c%25"),
        ({"path": "/\u00fc"}, "/%C3%BC"),
    ],
)
def test_the_path_stays_encoded(scope: dict[str, Any], path: str) -> None:
    assert encoded_path(scope) == path


@pytest.mark.parametrize(
    ("segment", "text"), [("a%2Fb", "a/b"), ("a%252Fb", "a%2Fb"), ("%C3%BC", "\u00fc"), ("%", "%"), ("%zz", "%zz")]
)
def test_a_segment_is_decoded_once(segment: str, text: str) -> None:
    assert decoded(segment) == text


@pytest.mark.parametrize("segment", ["%FF", "\xff", "%ED%A0%80"])
def test_a_segment_that_is_not_utf_8_is_an_error(segment: str) -> None:
    with pytest.raises(UnicodeDecodeError):
        decoded(segment)
