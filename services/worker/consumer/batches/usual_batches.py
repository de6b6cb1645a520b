"""The usual batch, read at once: of no transaction, intact, and small enough for what a fetch still has room for.

Every other batch is read record by record, by aiokafka's own loop.
"""

import struct
from typing import Any

from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatch

from services.worker.consumer.batches.fetched_record import FetchedRecord
from services.worker.consumer.batches.record_batches import CompressedRecords

OBJECT_BYTES = 600
"""About what a record takes in memory in addition to its key and its value."""

HEADER_OBJECT_BYTES = 150
"""The same of a header."""

# As many headers as fit into a record of this size are made anyway, before its size is known.
_MOST_BYTES = 1024 * 1024
_COUNT = struct.Struct(">57xi")
_TRANSACTIONAL_OR_CONTROL = 0x30
_new = tuple.__new__


def records_at_once(
    tp: TopicPartition, batch: Any, raw: memoryview, first: int, room: int
) -> tuple[list[FetchedRecord], int] | None:
    """Return the records and about their size in memory; None if the batch has to be read record by record.

    `first` is the first offset that is wanted, `room` the size that the records may have.
    """
    if not isinstance(batch, DefaultRecordBatch | CompressedRecords):
        return None
    if batch.attributes & _TRANSACTIONAL_OR_CONTROL or batch.base_offset < first:
        return None
    try:
        if not batch.validate_crc():
            return None
        whole = batch.decompressed() if isinstance(batch, CompressedRecords) else raw
        (count,) = _COUNT.unpack_from(whole)
        size = count * OBJECT_BYTES + len(whole)
        if len(whole) > _MOST_BYTES or size > room:
            return None
        records = _records(tp, DefaultRecordBatch(whole))  # one can be read once, and this may have to be read again
    except (MemoryError, OSError):
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it is found again, behind the records that can be read
        return None
    size += HEADER_OBJECT_BYTES * sum([len(record.headers) for record in records])
    return (records, size) if size <= room else None


def _records(tp: TopicPartition, batch: DefaultRecordBatch) -> list[FetchedRecord]:
    topic, partition, kind = tp.topic, tp.partition, batch.timestamp_type
    return [
        _new(
            FetchedRecord,
            (topic, partition, each.offset, each.timestamp, kind, each.key, each.value, tuple(each.headers)),
        )
        for each in batch
    ]
