"""Load that gives every panel something to show: calls with all types of events, faults included, and readers."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from deploy.contracts.examples import EXAMPLES, event
from shared.contract.payloads import TELEPHONY
from shared.contract.topics import Topics

ORGANIZATION = "org-789"
CALLS_A_SECOND = 5
"""Of 21 events each."""

INVALID = b"no event"


async def publish_until(bootstrap: str, done: Callable[[], bool]) -> None:
    """Publish calls second by second, each second one invalid record too."""
    topics = Topics()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        while not done():
            began = time.monotonic()
            for number in range(CALLS_A_SECOND):
                call = f"{time.time_ns()}-{number}"
                for each in _events_of(call):
                    topic = topics.telephony if each["type"] in TELEPHONY else topics.transcription
                    await producer.send(topic, json.dumps(each).encode(), key=call.encode())
            await producer.send(topics.telephony, INVALID, key=b"invalid")
            await producer.flush()
            await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began)))


def _events_of(call: str) -> list[dict[str, Any]]:
    """Return an event of each type, and a usage that has no price."""
    examples = [event(kind) for kind in EXAMPLES]
    unpriced = {**event("usage.reported"), "data": {"product": "phrenology", "quantity": 1, "unit": "heads"}}
    return [
        {**each, "subject": call, "id": f"{call}:{number}", "organizationid": ORGANIZATION}
        for number, each in enumerate([*examples, unpriced])
    ]


def read(client: httpx.Client, call: str, headers: dict[str, str]) -> None:
    """Read a call, read it again while it is unchanged, and ask with a key that is wrong."""
    url = f"/api/calls/{call}"
    first = client.get(url, headers=headers)
    client.get(url, headers={**headers, "If-None-Match": first.headers.get("ETag", '"none"')})
    client.get(url, headers={**headers, "X-API-SECRET": "wrong"})
