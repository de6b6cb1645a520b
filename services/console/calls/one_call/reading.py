"""Reading what a call's page needs, in this process or in one of the pool."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.console.call.explain.explanation import EFFORT, explain, explain_part
from services.console.call.explain.fields import field_of
from services.console.call.explain.shown import ShownExplanation, shown
from services.console.call.page import CallPage, call_page, without_lines
from shared.calls.fold_call import render, valid_events
from shared.calls.read_call import CallBroken, Finality, finality_of, present_log, stored_call
from shared.calls.read_events import LoggedCall, read_events
from shared.fold.call import NoEvents, call_of
from shared.fold.fold import folded
from shared.fold.prices import PriceBook
from shared.fold.record import Record
from shared.store.models import CallSnapshot, LogDocument, StoredCall
from shared.store.ports import Store
from shared.store.states import State
from shared.store.zstd_frame import Frame, decompress

LARGE_EFFORT = 25 * EFFORT
"""In a process of the pool nobody waits but the reader."""


async def read_page(store: Store, call: str, book: PriceBook) -> CallPage | None:
    """Return the page of a call (`<organization_id>/<call_id>`), None if there is no such call.

    Raises:
        CallBroken: the call cannot be folded.
        StoreUnavailable: the store does not answer.
    """
    stored = await stored_call(store, call)
    if stored is None or (found := await present_log(store, call)) is None:
        return None
    # In a thread: a long call would keep other pages waiting for some tenths of a second.
    return await asyncio.to_thread(_page, stored, *found, book)


def _page(stored: StoredCall, documents: Sequence[LogDocument], state: CallSnapshot, book: PriceBook) -> CallPage:
    events, _ = valid_events(documents)
    try:
        found = call_of(events, book, opted_out=state.opted_out)
    except NoEvents as error:
        raise CallBroken("its log holds no valid event") from error
    finality = finality_of(state.state, ended=found.ends.final is not None)
    compared = finality is Finality.FINAL and stored.content is not None
    record = folded(found if compared else without_lines(found)).record
    differs = differences(stored, record) if compared else {}
    return call_page(found, record, finality, book.currency, differs)


async def read_explanation(
    store: Store, call: str, book: PriceBook, *, name: str, effort: int, zero: int
) -> ShownExplanation | None:
    """Return where a value comes from, None if there is no such call or value; `zero` is the page's.

    Raises:
        CallBroken, StoreUnavailable: see `read_page`.
    """
    logged = await read_events(store, call, book)
    if logged is None:
        return None
    if logged.failed is not None:
        raise CallBroken(call) from logged.failed
    try:
        return await asyncio.to_thread(_explanation, logged, book, name, effort, zero)
    except NoEvents as error:
        raise CallBroken(call) from error


def _explanation(logged: LoggedCall, book: PriceBook, name: str, effort: int, zero: int) -> ShownExplanation | None:
    field = field_of(name)
    found = explain_part(logged, name, book) if field is None else explain(logged, field, book, effort)
    return None if found is None else shown(name, found, zero)


def differences(stored: StoredCall, record: Record) -> Mapping[str, Any]:
    """Return the fields, with their values, in which the final record that is stored differs from the log's.

    It does after a change of the price book or of the rules, until `callfold rebuild`.
    """
    if stored.state is not State.FINAL or stored.content is None:
        return {}
    if render(record).etag == stored.etag:
        return {}
    try:
        body = decompress(stored.content) if isinstance(stored.content, Frame) else stored.content
        served = orjson.loads(body)
    except ValueError:
        return {}
    now = orjson.loads(orjson.dumps(record))
    return {name: served.get(name) for name in now if now[name] != served.get(name)}
