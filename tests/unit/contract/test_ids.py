"""What names a call."""

import uuid

import pytest

from shared.contract.ids import call_key, call_of, record_id


@pytest.mark.parametrize(
    ("call", "key"),
    [
        ("call-456", "org-789/call-456"),
        ("a/b", "org-789/a%2Fb"),
        ("a%2Fb", "org-789/a%252Fb"),
        ("%/", "org-789/%25%2F"),
        ("é 😀", "org-789/é 😀"),
    ],
)
def test_the_key_of_a_call_has_one_slash(call: str, key: str) -> None:
    assert call_key("org-789", call) == key
    assert call_of(f"{key}/topic/0/1") == key


def test_the_id_of_a_record_is_made_of_the_ids_as_they_are() -> None:
    namespace = uuid.UUID("3c9a1c0e-8a83-5d5b-9c0b-6f3f0a6f1d42")

    assert record_id("org-789", "a/b%") == str(uuid.uuid5(namespace, "org-789/a/b%"))
