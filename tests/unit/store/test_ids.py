"""The documents of the log: how an offset range is split, and how it is named."""

from itertools import product

import pytest

from shared.contract.ids import call_key, call_of
from shared.contract.strict.vouching import ADAPTED, AS_SENT, CONTRACT_VERSION, WITH_CARE
from shared.store.ids import MAX_DOCUMENT_BYTES, documents, id_range, names_of, size_of
from shared.store.models import LogDocument, SourcePartition
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY

SOURCE = SourcePartition("calls.telephony", 3)
EVENTS = [(5, b'{"a":1}'), (9, b'{"b":2}')]


def made(
    events: list[tuple[int, bytes]], *, call: str = CALL, source: SourcePartition = SOURCE, key: bytes = LOG_ID_HMAC_KEY
) -> list[LogDocument]:
    return list(documents(call, source, [(offset, raw, WITH_CARE) for offset, raw in events], key))


def test_an_offset_range_is_one_document_whose_id_names_it() -> None:
    (document,) = made(EVENTS)

    assert document.events == (b'{"a":1}', b'{"b":2}')
    assert document.id.rsplit("-", 1)[0] == f"{CALL}/calls.telephony/3/5-9-2-14"
    assert document.redacted_at == 0


def test_no_events_make_no_document() -> None:
    assert made([]) == []


def test_the_same_offset_range_has_the_same_id() -> None:
    assert made(EVENTS) == made(EVENTS)


@pytest.mark.parametrize(
    "other",
    [
        made([(5, b'{"a":1}'), (9, b'{"b":3}')]),  # another content
        made([(5, b'{"a":1}{'), (9, b'"b":2}')]),  # the same bytes, cut differently
        made([(5, b'{"a":1}'), (8, b'{"b":2}')]),
        made(EVENTS[:1]),
        made(EVENTS, source=SourcePartition("calls.telephony", 4)),
        made(EVENTS, source=SourcePartition("calls.transcription", 3)),
        made(EVENTS, call="org-789/call-4"),
    ],
)
def test_a_document_that_differs_in_anything_has_another_id(other: list[LogDocument]) -> None:
    assert other[0].id != made(EVENTS)[0].id


def test_a_document_that_vouches_for_something_else_has_another_id() -> None:
    every = list(product((AS_SENT, ADAPTED, WITH_CARE), repeat=2))

    ids = {vouching(*each).id for each in every}

    assert len(ids) == len(every)


def test_a_document_names_the_contract_only_if_it_vouches_for_an_event() -> None:
    as_sent, mixed, none = vouching(AS_SENT, AS_SENT), vouching(ADAPTED, WITH_CARE), vouching(WITH_CARE, WITH_CARE)

    assert (as_sent.contract, as_sent.vouched) == (CONTRACT_VERSION, b"")
    assert (mixed.contract, mixed.vouched) == (CONTRACT_VERSION, bytes([ADAPTED, WITH_CARE]))
    assert (none.contract, none.vouched) == (0, b"")


def vouching(*how: int) -> LogDocument:
    """Return the document of `EVENTS` that says this of each."""
    events = [(offset, raw, each) for (offset, raw), each in zip(EVENTS, how, strict=True)]
    return next(documents(CALL, SOURCE, events, LOG_ID_HMAC_KEY))


def test_the_hash_is_keyed_so_that_redacted_content_cannot_be_guessed() -> None:
    (ours,), (theirs,) = made(EVENTS), made(EVENTS, key=b"x" * 32)

    assert ours.id.rsplit("-", 1)[0] == theirs.id.rsplit("-", 1)[0]
    assert ours.id != theirs.id


@pytest.mark.parametrize(("sizes", "split"), [([1, 1], [2]), ([3, 1], [2]), ([3, 2], [1, 1]), ([2, 2, 1], [2, 1])])
def test_an_offset_range_is_split_at_four_megabytes(sizes: list[int], split: list[int]) -> None:
    megabyte = b"x" * (MAX_DOCUMENT_BYTES // 4)
    events = [(offset, megabyte * size) for offset, size in enumerate(sizes)]

    parts = made(events)

    assert [len(part.events) for part in parts] == split
    assert b"".join(raw for part in parts for raw in part.events) == b"".join(raw for _, raw in events)
    assert len({part.id for part in parts}) == len(parts)


def test_an_event_larger_than_a_document_may_be_is_a_document_of_its_own() -> None:
    large = b"x" * (MAX_DOCUMENT_BYTES + 1)

    assert [part.events for part in made([(0, b"a"), (1, large), (2, b"b")])] == [(b"a",), (large,), (b"b",)]


def test_the_id_alone_gives_the_call_and_the_size() -> None:
    (document,) = made(EVENTS, call="org-1/call-2-3", source=SourcePartition("with-dash.telephony", 3))

    assert call_of(document.id) == "org-1/call-2-3"
    assert size_of(document.id) == 14


@pytest.mark.parametrize("call", ["call-45", "call-4567", "call-456.", "call-456-", "call-456 ", "call-4560", "ca"])
def test_the_id_range_holds_the_documents_of_the_call_and_no_others(call: str) -> None:
    first, end = id_range(call_key("org-789", "call-456"))

    assert first <= made(EVENTS)[0].id < end
    assert not first <= made(EVENTS, call=call_key("org-789", call))[0].id < end


@pytest.mark.parametrize("call_id", ["call-456", "a/b", "a%2Fb", "%252F", "%", "/", "%25/%2F"])
def test_a_key_leads_back_to_the_ids_of_the_events(call_id: str) -> None:
    assert names_of(call_key("org-789", call_id)) == ("org-789", call_id)
