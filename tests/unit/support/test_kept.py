"""Looking for private content in what MongoDB keeps."""

import pytest

from shared.store.models import Lease
from shared.store.mongo.documents import log_document
from shared.store.mongo.record_documents import call_document
from tests.support.store.kept import kept
from tests.support.store.makers import CALL, document, result


@pytest.mark.parametrize("name", ["transcript", "body"])
def test_content_is_found_in_the_fields_of_a_call_and_in_its_text(name: str) -> None:
    stored = call_document(Lease(CALL, "t", 0, 0, 1, False), result(metadata={"said": "a secret"}))
    alone = {"_id": CALL, name: stored["body"] if name == "body" else "a secret"}

    assert b"a secret" in kept(alone)


def test_content_is_found_in_the_log() -> None:
    assert b"a secret" in kept(log_document(document(content=b'{"said":"a secret"}')))
