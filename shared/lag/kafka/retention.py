"""How long the topics keep a record."""

from collections.abc import Sequence

from aiokafka.protocol.admin import DescribeConfigsRequest

from shared.kafka.brokers import Brokers

_TOPIC = 2
_TIME, _POLICY = "retention.ms", "cleanup.policy"
_FOR_EVER = -1


async def read_retention(
    brokers: Brokers, node: int, topics: Sequence[str]
) -> tuple[dict[str, int | None], dict[str, int]]:
    """Return the retention of each topic in milliseconds, None for ever, and the error codes of the other topics.

    Raises:
        one of `NOT_ANSWERED`
    """
    response = await brokers.ask(node, DescribeConfigsRequest([(_TOPIC, topic, [_TIME, _POLICY]) for topic in topics]))
    kept: dict[str, int | None] = {}
    errors: dict[str, int] = {}
    for code, _message, _kind, topic, entries in response.resources:
        if code:
            errors[topic] = code
            continue
        configs = {name: value for name, value, *_ in entries}
        time = int(configs.get(_TIME) or _FOR_EVER)
        deletes = "delete" in (configs.get(_POLICY) or "delete")
        kept[topic] = time if deletes and time >= 0 else None
    return kept, errors
