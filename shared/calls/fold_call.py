"""One call from its log to what is stored of it; whoever folds it, the worker, its pool or `rebuild`, does it so."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.calls.folding import fold_documents, render
from shared.fold.fold import RULES_VERSION, Folded
from shared.fold.prices import PriceBook
from shared.fold.redaction import redact
from shared.store.ids import LogDocument
from shared.store.mongo.bson_record import packed
from shared.store.ports import FoldResult, Lease, Store


@dataclass(frozen=True, slots=True)
class FoldedCall:
    """What is to be stored, what the fold remarked, and how many events of the log the present rules find invalid."""

    result: FoldResult
    folded: Folded
    invalid: int


async def fold_call(store: Store, lease: Lease, documents: Sequence[LogDocument], book: PriceBook) -> FoldedCall:
    """Fold what was read after the claim; of an opted-out call, the log is redacted first.

    Raises:
        NoEvents: not one valid event.
        StoreUnavailable: the log could not be redacted.
        Unstorable: no store can take the record.
    """
    if lease.opted_out:
        # Before the fold: one that fails must not leave the content where it is.
        documents = await redact_log(store, lease.call, documents)
    folded, invalid = fold_documents(documents, book, opted_out=lease.opted_out)
    opted_out = folded.record["opt_out_sensitive_data_storage"]
    if opted_out and not lease.opted_out:
        documents = await redact_log(store, lease.call, documents)
        folded, invalid = fold_documents(documents, book, opted_out=True)
    rendered = render(folded.record)
    result = FoldResult(
        fields=packed(folded.record, rendered.body),
        body=rendered.body,
        etag=rendered.etag,
        final=folded.ended,
        opted_out=opted_out,
        events=folded.events,
        conflicts=folded.conflicts,
        rules_version=RULES_VERSION,
        price_book_version=book.version,
    )
    return FoldedCall(result, folded, invalid)


async def redact_log(store: Store, call: str, documents: Sequence[LogDocument]) -> Sequence[LogDocument]:
    """Return the call's log, which was read as `documents`, once nothing in it is raw.

    Raises:
        orjson.JSONDecodeError: something in it is no JSON.
        StoreUnavailable: it could not be redacted.
    """
    raw = [document for document in documents if not document.redacted_at]
    if not raw:
        return documents
    await store.redact(
        [LogDocument(document.id, tuple(redact(event) for event in document.events)) for document in raw]
    )
    return (await store.read([call]))[call]
