"""The partition that a call's events belong to."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

_POSITIVE = 0x7FFFFFFF


@lru_cache(maxsize=65_536)
def partition_of(call_id: str, partitions: int) -> int:
    """Return the partition of a call's key, as Java's and aiokafka's default partitioners compute it."""
    hashed: int = murmur2(call_id.encode())
    return (hashed & _POSITIVE) % partitions
