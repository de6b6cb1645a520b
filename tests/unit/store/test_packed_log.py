"""The form in which stores keep the events of the log: each byte as it was, bounded, and a flipped bit is noticed."""

import struct
from collections.abc import Iterator

import bson
import pytest
import zstandard

from benchmarks.load.calls import Workload
from shared.contract.topics import Topics
from shared.store.ids import documents
from shared.store.models import SourcePartition
from shared.store.mongo.documents import log_document
from shared.store.packed_log import MAX_TEXT_BYTES, Packed, pack, unpack
from tests.support.events.makers import event, raw
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY, logged

SOURCE = SourcePartition("calls.transcription", 7)
BYTES_PER_EVENT = 115

EVENTS = (raw(event("call.note", event="$27 äöü \u0000 said")), b"{}")


@pytest.mark.parametrize(
    "events",
    [
        EVENTS,
        (),
        (b"",),
        (b"", b"", b"x" * 70_000),
        (b"\xef\xbb\xbf{}", b"NaN", b'{"a": "\\ud800"}', b"\xff\x00],["),  # no JSON, and none that an array could hold
    ],
)
def test_each_event_is_read_back_to_the_byte(events: tuple[bytes, ...]) -> None:
    assert unpack(pack(events)) == events


def test_the_text_is_a_json_array_as_any_other_program_reads_it() -> None:
    text, lengths = pack(EVENTS)

    assert zstandard.decompress(text) == b"[%b,%b]" % EVENTS
    assert struct.unpack("<2I", lengths) == tuple(map(len, EVENTS))


TEXT, LENGTHS = pack(EVENTS)
COMPRESSED_BOMB = zstandard.compress(bytes(2 * MAX_TEXT_BYTES))


@pytest.mark.parametrize(
    "damaged",
    [
        Packed(b"", b""),
        Packed(b"no zstd", LENGTHS),
        Packed(TEXT[:-3], LENGTHS),
        Packed(TEXT + b"more", LENGTHS),
        Packed(TEXT[:9] + bytes(9) + TEXT[18:], LENGTHS),
        Packed(TEXT, LENGTHS[:-1]),
        Packed(TEXT, LENGTHS[:-4]),
        Packed(TEXT, LENGTHS + bytes(4)),
        Packed(COMPRESSED_BOMB, struct.pack("<I", 2 * MAX_TEXT_BYTES - 2)),
    ],
)
def test_what_no_program_packed_is_refused(damaged: Packed) -> None:
    with pytest.raises(ValueError, match=r"frame|the events of a document"):
        unpack(damaged)


def flipped(data: bytes) -> Iterator[bytes]:
    """Yield the bytes with each of their bits flipped, one at a time."""
    for position, byte in enumerate(data):
        for bit in range(8):
            yield b"".join((data[:position], bytes((byte ^ 1 << bit,)), data[position + 1 :]))


def read_or_refused(packed: Packed) -> tuple[bytes, ...] | None:
    try:
        return unpack(packed)
    except ValueError:
        return None


def test_no_flipped_bit_makes_other_events() -> None:
    raws = tuple(value for _, _, value in Workload(100, 1).call(0, Topics()))[:5]
    text, lengths = pack(raws)

    read = [read_or_refused(Packed(each, lengths)) for each in flipped(text)]
    of_lengths = [read_or_refused(Packed(text, each)) for each in flipped(lengths)]

    assert {each for each in read if each is not None} <= {raws}  # some bits of a frame mean nothing
    assert read.count(None) > 0.99 * len(read)
    assert set(of_lengths) == {None}


def test_a_usual_event_takes_a_quarter_of_its_json() -> None:
    """Guards the form without a server; the bound is a tenth above what it is."""
    raws = [value for _, _, value in Workload(100, 1).call(0, Topics())][:40]
    parts = [raws[start : start + 10] for start in range(0, len(raws), 10)]

    made = [next(documents(CALL, SOURCE, logged(part), LOG_ID_HMAC_KEY)) for part in parts]

    stored = sum(len(bson.encode(log_document(document))) for document in made)
    assert stored / len(raws) < BYTES_PER_EVENT
    assert stored < sum(map(len, raws)) / 4
