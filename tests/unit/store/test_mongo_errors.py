"""What is reported of MongoDB's errors: enough to act on, and nothing of the content of a write."""

import pytest
from pymongo.errors import AutoReconnect, BulkWriteError, NotPrimaryError, ServerSelectionTimeoutError, WriteError

from shared.store.mongo.errors import refused, translated_errors
from shared.store.ports import StoreUnavailable

CONTENT = {"events": [b"my card is 4111"]}


@pytest.mark.parametrize(
    "error",
    [
        BulkWriteError({"writeErrors": [{"index": 0, "code": 189, "errmsg": "my card is 4111", "op": CONTENT}]}),
        WriteError("my card is 4111", 121, {"code": 121, "errInfo": CONTENT}),
        NotPrimaryError("my card is 4111", {"code": 10107, "op": CONTENT}),
    ],
)
def test_a_failed_write_is_reported_by_its_codes_alone(error: Exception) -> None:
    with pytest.raises(StoreUnavailable) as raised, translated_errors():
        raise error

    assert "4111" not in str(raised.value)
    assert type(error).__name__ in str(raised.value)
    assert any(code in str(raised.value) for code in ("189", "121", "10107"))


def test_an_unreachable_server_is_reported_with_its_address() -> None:
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1"), translated_errors():
        raise ServerSelectionTimeoutError("127.0.0.1:1: connection refused")


@pytest.mark.parametrize(("code", "is_refused"), [(10334, True), (2, True), (11600, False), (189, False)])
def test_only_content_that_the_server_would_refuse_again_counts_as_refused(code: int, is_refused: bool) -> None:
    bulk = BulkWriteError({"writeErrors": [{"index": 0, "code": code, "errmsg": "", "op": {}}]})

    assert refused(bulk) is is_refused
    assert refused(WriteError("", code, {"code": code})) is is_refused


def test_a_connection_that_is_closed_at_once_is_not_said_to_be_about_certificates_alone() -> None:
    with pytest.raises(StoreUnavailable) as raised, translated_errors():
        raise AutoReconnect("127.0.0.1:1: connection closed")

    assert all(reason in str(raised.value) for reason in ("127.0.0.1:1", "down", "TLS"))
