"""Makers of what a store holds: documents of the log, updates, leases, results."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from shared.calls.fold_call import render
from shared.config.price_book import load
from shared.contract.decode_event import decode_sent
from shared.contract.timestamps import LATEST_MS
from shared.fold.fold import RULES_VERSION, fold
from shared.fold.record import Record
from shared.store.ids import LoggedBytes, documents
from shared.store.memory.calls import MemoryStore
from shared.store.models import (
    MAX_RECORD_BYTES,
    CallUpdate,
    FoldResult,
    Lease,
    LogDocument,
    SourcePartition,
    StoredCall,
)
from shared.store.ports import Store
from shared.store.states import State
from shared.store.zstd_frame import Frame, decompress
from tests.support.events.makers import decoded, event

CALL = "org-789/call-456"
LOG_ID_HMAC_KEY = b"k" * 32

tokens = (f"token-{number}" for number in itertools.count())


def logged(events: Iterable[bytes], first: int = 0) -> list[LoggedBytes]:
    """Return events, from the offset `first` on, as a worker logs them."""
    return [(offset, raw, decode_sent(raw, (), LATEST_MS)[1]) for offset, raw in enumerate(events, first)]


def document(call: str = CALL, *, offset: int = 0, content: bytes = b'{"a":1}', topic: str = "t") -> LogDocument:
    return next(documents(call, SourcePartition(topic, 0), logged([content], offset), LOG_ID_HMAC_KEY))


def update(call: str = CALL, *, stale: bool = True, arrival: int = 1_000, opted_out: bool = False) -> CallUpdate:
    return CallUpdate(call, 7, arrival, stale, opted_out)


def record(**data: Any) -> Record:
    return fold(decoded([event("call.created", id="1", **data)]), load()).record


def result(
    *, final: bool = True, metadata: Any = None, opted_out: bool = False, problems: Mapping[str, int] | None = None
) -> FoldResult:
    made = record(metadata=metadata or {"priority": "high"})
    rendered = render(made)
    found = problems or {}
    return FoldResult(made, rendered.body, rendered.etag, final, opted_out, 3, 1, found, RULES_VERSION, "test")


def too_large() -> FoldResult:
    """Return a result whose record no store keeps."""
    return replace(result(), body=bytes(MAX_RECORD_BYTES + 1))


def body_of(found: StoredCall) -> bytes | None:
    """Return the JSON text of a stored record, None if there is none."""
    content = found.content
    return decompress(content) if isinstance(content, Frame) else content


def without_blocks(frame: Frame) -> Frame:
    """Return the frame with zeros in its blocks, so that it cannot be decompressed."""
    start = frame.first_block + 3
    return frame._replace(data=frame.data[:start] + bytes(len(frame.data) - start))


async def damage_record(
    store: MemoryStore, call: str = CALL, damage: Callable[[Frame], Frame] = without_blocks
) -> None:
    """Damage the stored record of a call, as by a disk."""
    found = await store.find(call)
    assert found is not None
    assert isinstance(found.content, Frame)
    calls = store._calls  # noqa: SLF001
    calls[call] = replace(calls[call], frame=damage(found.content))


async def leased(store: Store, call: str = CALL) -> Lease:
    await store.mark_stale([update(call)])
    (lease,) = await store.lease([call], next(tokens))
    return lease


async def state_of(store: Store, call: str = CALL) -> State:
    seen = await store.read_states([call])
    return seen[call].state
