"""One call's page without a store: from events to what the page shows, and to its HTML.

shown = page(*seed_call())
html = rendered(shown)
"""

from collections.abc import Sequence
from typing import Any

from services.console.access.accounts import Account, Role
from services.console.access.sessions import Session
from services.console.call.explain.shown import ShownExplanation
from services.console.call.page import CallPage, call_page
from services.console.rendering import Pages
from shared.calls.read_call import Finality
from shared.calls.read_events import LoggedCall, LoggedEvent, Place
from shared.contract.decode_event import Event
from shared.fold.call import call_of
from shared.fold.fold import folded
from shared.fold.prices import PriceBook
from shared.fold.standing import standings, superseded
from shared.store.models import SourcePartition
from tests.support.events.makers import Json, book, decoded

PAGES = Pages()
SESSION = Session(Account("ann", Role.SUPPORT), ends_at=0.0)


def page(*bodies: Json, finality: Finality = Finality.FINAL) -> CallPage:
    return page_of(decoded(bodies), finality=finality)


def page_of(events: Sequence[Event], prices: PriceBook | None = None, finality: Finality = Finality.FINAL) -> CallPage:
    prices = prices or book()
    call = call_of(events, prices, opted_out=False)
    return call_page(call, folded(call).record, finality, prices.currency)


def rendered(shown: CallPage, explained: ShownExplanation | None = None, **content: Any) -> str:
    """Return the HTML of the first page."""
    usual = {"number": 1, "explaining": False, "computing": False, "large": False, "asked": bool(explained)}
    response = PAGES.page(
        "call/call.html", SESSION, page=shown, lines=shown.lines(1), explained=explained, **(usual | content)
    )
    return bytes(response.body).decode()


def logged_call(events: Sequence[Event], prices: PriceBook) -> LoggedCall:
    """Return events as `read_events` does; each has an offset of its own."""
    opted_out = any(event.opts_out for event in events)
    call = call_of(events, prices, opted_out=opted_out)
    placed = standings(events, superseded(call.events), opted_out=opted_out)
    found = [
        LoggedEvent(Place(SourcePartition("calls.telephony", 0), offset, offset), event.raw, event, standing)
        for offset, (event, standing) in enumerate(placed)
    ]
    return LoggedCall(sorted(found, key=_order), opted_out, None)


def _order(logged: LoggedEvent) -> Any:
    assert isinstance(logged.event, Event)
    return logged.event.ordering_key
