"""Ids of canary calls, so that one call after the other visits every partition."""

import uuid

from shared.kafka.partitioner import partition_of


def call_id_on(partition: int, partitions: int) -> str:
    """Return a new id whose call belongs to `partition` modulo `partitions`; to any, if these are 0: not known."""
    while True:
        call_id = f"canary-{uuid.uuid4().hex}"
        if not partitions or partition_of(call_id, partitions) == partition % partitions:
            return call_id
