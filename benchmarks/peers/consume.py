"""The limit of consuming: fetches and decodes every record, stores nothing; writes the count after each fetch."""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer

from shared.contract.decode_event import InvalidEvent, decode


async def main(bootstrap: str, _mongo_uri: str, name: str, *topics: str) -> None:
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, group_id=name, auto_offset_reset="earliest")
    await consumer.start()
    events = 0
    try:
        while True:
            for records in (await consumer.getmany(timeout_ms=1_000, max_records=5_000)).values():
                decoded = [decode(each.value, each.headers, arrival=each.timestamp) for each in records]
                events += sum(not isinstance(event, InvalidEvent) for event in decoded)
            print(events, flush=True)  # noqa: T201 - the benchmark reads it
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
