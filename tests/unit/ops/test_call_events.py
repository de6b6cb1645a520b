"""`callfold events` on the in-memory store."""

import asyncio
from itertools import chain
from typing import Any

import orjson
import pytest

from services.ops.actions import call_events
from services.ops.errors import CommandError
from shared.config import price_book
from shared.store.ids import documents
from shared.store.models import LogDocument, SourcePartition
from shared.store.ports import Store
from tests.support.callfold import MemoryCallfold
from tests.support.events.makers import STARTED, Json, event, raw
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY, logged, result, tokens, update

PARTITION = SourcePartition("calls.telephony", 7)
SPOKEN = "my card number"


def one_document(*events: tuple[int, Json | bytes]) -> LogDocument:
    """Return a document of the log with these events, by offset."""
    contents = [logged([body if isinstance(body, bytes) else raw(body)], offset) for offset, body in events]
    return next(documents(CALL, PARTITION, list(chain.from_iterable(contents)), LOG_ID_HMAC_KEY))


def write(memory: MemoryCallfold, *found: LogDocument, opted_out: bool = False) -> None:
    async def inserted(store: Store) -> None:
        await store.insert(found)
        await store.mark_stale([update(opted_out=opted_out)])

    asyncio.run(inserted(memory.database.store))


def listed(memory: MemoryCallfold) -> list[Any]:
    done = memory.run("events", "org-789", "call-456", "--json")
    assert done.exit_code == 0
    return list(orjson.loads(done.stdout))


def test_the_table_shows_where_each_event_is_and_what_became_of_it(memory: MemoryCallfold) -> None:
    first, second = (event("call.note", id="1", event=f"{SPOKEN} {text}") for text in "ab")
    write(
        memory,
        one_document((10, event("call.started", id="0", at=STARTED)), (11, second), (12, first)),
        one_document((20, first)),
        one_document((30, b"{}")),
    )

    done = memory.run("events", "org-789", "call-456")

    assert (done.exit_code, done.stderr) == (0, "")
    assert [line.split()[3:] for line in done.stdout.splitlines()[:-1]] == [
        ["id", "standing", "problems", "topic", "partition", "offset"],
        ["0", "counts", "-", "calls.telephony", "7", "10"],
        ["1", "lost", "conflict", "calls.telephony", "7", "11"],
        ["1", "counts", "-", "calls.telephony", "7", "12"],
        ["1", "copy", "-", "calls.telephony", "7", "20"],
        ["-", "invalid", "(not_cloudevents)", "-", "calls.telephony", "7", "30"],
    ]
    assert done.stdout.splitlines()[-1] == "5 events in the log: 2 counts, 1 copy, 1 lost, 1 invalid"
    assert SPOKEN not in done.stdout


def test_programs_get_the_bodies_too(memory: MemoryCallfold) -> None:
    body = event("call.note", id="1", event="\x9b")
    write(memory, one_document((10, body)), one_document((11, b"{}")))

    note, invalid = listed(memory)

    assert note == {
        "time": body["time"],
        "type": "call.note",
        "source": body["source"],
        "id": "1",
        "sequence": None,
        "standing": "counts",
        "reason": None,
        "detail": None,
        "problems": [],
        "topic": "calls.telephony",
        "partition": 7,
        "offset": 10,
        "offsets": [10, 10],
        "body": body,
    }
    assert (invalid["standing"], invalid["reason"], invalid["body"]) == ("invalid", "not_cloudevents", {})


def test_raw_prints_events_that_can_be_published_again(memory: MemoryCallfold) -> None:
    pretty = orjson.dumps(event("call.note", id="1"), option=orjson.OPT_INDENT_2)
    plain = raw(event("call.dtmf", id="2"))
    write(memory, one_document((10, pretty), (11, plain)))

    lines = memory.run("events", "org-789", "call-456", "--raw").stdout_bytes.splitlines()

    assert plain in lines
    assert sorted(orjson.loads(line)["id"] for line in lines) == ["1", "2"]


def test_the_offset_of_an_event_among_those_of_other_calls_is_a_range(memory: MemoryCallfold) -> None:
    offsets = (10, 13, 19)
    write(memory, one_document(*((offset, event("call.ringing", at=STARTED + offset)) for offset in offsets)))

    found = listed(memory)

    assert [(each["offset"], each["offsets"]) for each in found] == [(10, [10, 10]), (None, [10, 19]), (19, [19, 19])]


def test_the_kinds_of_problems_are_named_with_the_event(memory: MemoryCallfold) -> None:
    write(memory, one_document((10, event("call.ended", duration_ms=-1))))

    (end,) = listed(memory)

    assert end["problems"] == ["field_unreadable"]


@pytest.mark.parametrize("options", [[], ["--json"], ["--raw"]])
@pytest.mark.parametrize("flagged", ["the event", "the call"])
def test_an_opted_out_call_shows_no_private_content(memory: MemoryCallfold, flagged: str, options: list[str]) -> None:
    opts_out: Json = {"opt_out_sensitive_data_storage": True} if flagged == "the event" else {}
    write(
        memory,
        one_document((10, event("call.started", **opts_out)), (11, event("call.note", event=SPOKEN))),
        one_document((12, raw({"event": SPOKEN, "data": {"event": SPOKEN}}))),
        opted_out=flagged == "the call",
    )

    done = memory.run("events", "org-789", "call-456", *options)

    assert done.exit_code == 0
    assert SPOKEN not in done.output


def test_a_call_that_cannot_be_folded_shows_its_events(memory: MemoryCallfold, monkeypatch: pytest.MonkeyPatch) -> None:
    class BrokenBook:
        def price_list_at(self, *_: object) -> None:
            raise ZeroDivisionError

    write(memory, one_document((10, event("call.started")), (11, event("call.ended"))))
    monkeypatch.setattr(price_book, "load", lambda _: BrokenBook())

    done = memory.run("events", "org-789", "call-456")

    assert done.stdout.splitlines()[-1] == "2 events in the log: 2 counts"
    assert done.stderr == "the call cannot be folded (ZeroDivisionError): which problems it has is unknown\n"


def test_a_call_that_does_not_exist_is_one_line(memory: MemoryCallfold) -> None:
    done = memory.run("events", "org-789", "call-456")

    assert isinstance(done.exception, CommandError)
    assert str(done.exception).startswith("the log has no events of a call org-789/call-456; ")


def test_a_deleted_call_is_not_shown(memory: MemoryCallfold) -> None:
    async def deleted(store: Store) -> None:
        (lease,) = await store.lease([CALL], next(tokens))
        await store.store_results([(lease, result())])
        assert await store.tombstone([CALL], 2**60) == 1

    write(memory, one_document((10, event("call.ended"))))
    asyncio.run(deleted(memory.database.store))

    done = memory.run("events", "org-789", "call-456")

    assert isinstance(done.exception, CommandError)


def test_a_call_whose_header_is_lost_is_shown(memory: MemoryCallfold) -> None:
    asyncio.run(memory.database.store.insert([one_document((10, event("call.ringing")))]))

    assert len(listed(memory)) == 1


def test_a_long_list_has_one_heading(memory: MemoryCallfold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_events, "_PAGE", 1)
    write(memory, one_document((10, event("call.ringing")), (11, event("call.started"))))

    lines = memory.run("events", "org-789", "call-456").stdout.splitlines()

    assert [line.split()[0] for line in lines].count("time") == 1
    assert len(lines) == 4
