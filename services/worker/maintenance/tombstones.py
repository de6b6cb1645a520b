"""For how long the topics can hold a record, by their settings, and so for how long a deleted call is remembered."""

from collections.abc import Collection, Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.worker.consumer.topic_setup import KafkaUnavailable, configs
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess

_DAY_MS = 86_400_000
_UNLIMITED_MS = 2**62
_HELD_BY = ("cleanup.policy", "retention.ms", "segment.ms", "message.timestamp.type", "message.timestamp.after.max.ms")


def held_ms(config: Mapping[str, str]) -> int | None:
    """Return for how long after its arrival a topic may hold a record, in milliseconds; None: without a limit.

    What is only compacted stays, and a limit of bytes says nothing about time. A segment goes as a whole, by the latest
    timestamp in it: `segment.ms` after its first record at most, and later yet by as much as a producer's clock may be
    ahead where the producer sets it.
    """
    if "delete" not in config.get("cleanup.policy", ""):
        return None
    ahead = 0
    if config.get("message.timestamp.type") != "LogAppendTime":
        ahead = int(config.get("message.timestamp.after.max.ms", _UNLIMITED_MS))
    retention = int(config.get("retention.ms", -1))
    held = retention + int(config.get("segment.ms", 0)) + ahead
    return None if retention < 0 or held >= _UNLIMITED_MS else held


def remembered_ms(inputs: Collection[int | None], dead_letters: int | None) -> int | None:
    """Return for how long a deleted call has to be remembered, given how long the topics hold a record.

    A record may be refused when it is read for the last time, and its letter be replayed just before that goes: the
    times add up. A day more is for workers that lag, for clocks, and for the broker, which looks every few minutes.
    """
    if dead_letters is None or None in inputs:
        return None
    return max(held for held in inputs if held is not None) + dead_letters + _DAY_MS


async def lasting(kafka: KafkaAccess, topics: Topics) -> int | None:
    """Return for how many milliseconds a deleted call has to be remembered, as the topics are now; None: for ever.

    Raises:
        KafkaUnavailable: no broker answers as it should.
    """
    admin = AIOKafkaAdminClient(**kafka.options())
    try:
        try:
            await admin.start()
            told = await configs(admin, [*topics.inputs, topics.dead_letter], _HELD_BY)
        finally:
            await admin.close()
        return remembered_ms([held_ms(told[name]) for name in topics.inputs], held_ms(told[topics.dead_letter]))
    except (KafkaError, OSError) as error:
        raise KafkaUnavailable(str(error)) from error
