"""The pages of the console, and the calls that they show: with names of their own for each run."""

import uuid

from services.console.addresses import call_address
from tests.browser.calls import HOSTILE_ORGANIZATION, IMAGE, ORGANIZATION

RUN = uuid.uuid4().hex[:8]
OVER = f"call-over-{RUN}"
CALL = call_address(ORGANIZATION, OVER)
HOSTILE_CALL = f"call {RUN} {IMAGE}"
WATCHED, LATE, REPLAYED = (f"call-{what}-{RUN}" for what in ("watched", "late", "replayed"))

PAGES = {
    "overview": "/",
    "lag": "/lag",
    "dead letters": "/dead-letters",
    "a dead letter": "/dead-letters/0",
    "a call": CALL,
    "where a value comes from": f"{CALL}?explain=call_cost",
    "a hostile call": call_address(HOSTILE_ORGANIZATION, HOSTILE_CALL),
    "calls": "/calls",
    "broken calls": "/calls/broken",
    "no call": "/calls/none/none",
}
