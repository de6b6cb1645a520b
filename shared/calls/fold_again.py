"""Asking that a call is folded again, though no event has arrived: a rebuild."""

from shared.kafka.partitioner import partition_of
from shared.process.clock import now_ms
from shared.store.ids import names_of
from shared.store.models import CallHeader, CallUpdate


def is_whole(header: CallHeader | None) -> bool:
    """Return whether the header says of which partition the call is."""
    return header is not None and not header.damaged


def fold_again(call: str, header: CallHeader | None, partitions: int) -> CallUpdate:
    """Return what marks the call stale; `partitions` an input topic has, which matters if the header is not whole."""
    if header is not None and not header.damaged:
        return CallUpdate(call, header.partition, header.last_arrival, stale=True)
    # When it arrived is unknown: now, so that neither the idle-call timeout nor retention acts too early.
    partition = partition_of(names_of(call)[1], partitions)
    return CallUpdate(call, partition, now_ms(), stale=True, damaged=header is not None)
