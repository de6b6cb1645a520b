"""`callfold events`."""

import asyncio
import json as json_text
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

from services.ops.console import JsonList, print_error, print_result, print_table
from services.ops.database import translate_errors
from services.ops.errors import USAGE, CommandError
from services.ops.program import Opening, Program
from services.ops.settings import MONGO, OpsSettings, load
from shared.calls.read_events import LoggedCall, LoggedEvent, Place, read_events
from shared.config import price_book
from shared.config.toml_file import InvalidConfigFile
from shared.contract.decode_event import Event, InvalidEvent
from shared.contract.ids import call_key
from shared.contract.timestamps import rfc3339
from shared.dead_letters.content import readable
from shared.fold.standing import Standing
from shared.process.batching import grouped

_COLUMNS = ("time", "type", "source", "id", "standing", "problems", "topic", "partition", "offset")
_ATTRIBUTES = ("time", "type", "source", "id", "sequence")
_NUMBERS = ("partition", "offset")
_PAGE = 1_000


def show(program: Program, organization: str, call: str, *, raw: bool, json: bool) -> None:
    settings = load(program, MONGO, kind=OpsSettings)
    found = asyncio.run(_read(program.opening, settings, call_key(organization, call)))
    if found is None:
        raise CommandError(
            f"the log has no events of a call {organization}/{call}; `dead-letters list --call {call}` shows what was "
            "refused of it"
        )
    if raw:
        _write_raw(found.events)
    elif json:
        with JsonList() as listed:
            for logged in found.events:
                listed.add(described(logged))
    else:
        _print(found)
    if found.failed is not None:
        print_error(f"the call cannot be folded ({type(found.failed).__name__}): which problems it has is unknown")


async def _read(opening: Opening, settings: OpsSettings, key: str) -> LoggedCall | None:
    try:
        book = price_book.load(settings.price_book)
    except InvalidConfigFile as error:
        raise CommandError(str(error), USAGE) from error
    with translate_errors(settings):
        async with opening(settings) as database:
            return await read_events(database.store, key, book)


def _write_raw(events: Iterable[LoggedEvent]) -> None:
    sys.stdout.flush()
    for logged in events:
        # A line break in JSON can only stand between its tokens.
        sys.stdout.buffer.write(logged.raw.replace(b"\n", b" ") + b"\n")
    sys.stdout.buffer.flush()


def _print(call: LoggedCall) -> None:
    for number, page in enumerate(grouped(call.events, lambda _: 1, _PAGE)):
        print_table(_COLUMNS, [_row(logged) for logged in page], _NUMBERS, headed=number == 0)
    counts = Counter(logged.standing for logged in call.events)
    summary = ", ".join(f"{counts[each]} {each}" for each in Standing if counts[each])
    opted_out = "; the call has opted out" if call.opted_out else ""
    print_result(f"{len(call.events)} events in the log: {summary}{opted_out}")


def _row(logged: LoggedEvent) -> list[object]:
    found = _facts(logged)
    standing = found["standing"] if found["reason"] is None else f"{found['standing']} ({found['reason']})"
    texts = [found[name] for name in ("time", "type", "source", "id")]
    place = (found["topic"], found["partition"], _offset(logged.place))
    return [*texts, standing, ", ".join(found["problems"]) or None, *place]


def _offset(place: Place) -> str:
    return str(place.first) if place.first == place.last else f"{place.first}-{place.last}"


def described(logged: LoggedEvent) -> dict[str, Any]:
    """Return an event by name, as a program gets it; `body` is `{"text"}` or `{"base64"}` where it is no JSON."""
    return {**_facts(logged), "body": _body(logged.raw)}


def _facts(logged: LoggedEvent) -> dict[str, Any]:
    """Return all but what the event contains."""
    event, place = logged.event, logged.place
    return {
        **(_attributes(event) if isinstance(event, Event) else dict.fromkeys(_ATTRIBUTES)),
        "standing": logged.standing,
        "reason": event.reason if isinstance(event, InvalidEvent) else None,
        "detail": event.detail if isinstance(event, InvalidEvent) else None,
        "problems": list(logged.problems),
        "topic": place.source.topic,
        "partition": place.source.partition,
        "offset": place.first if place.first == place.last else None,
        "offsets": [place.first, place.last],
    }


def _attributes(event: Event) -> dict[str, str | None]:
    key = event.ordering_key
    values = (rfc3339(event.time), event.type, key.source, key.id, key.sequence or None)
    return dict(zip(_ATTRIBUTES, values, strict=True))


def _body(raw: bytes) -> Any:
    try:
        return json_text.loads(raw)
    except (ValueError, RecursionError):
        return readable(raw)
