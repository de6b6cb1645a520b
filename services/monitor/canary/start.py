"""The canary as a part of a program, from its settings."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pydantic import SecretStr

from services.monitor.canary.canary import Canary
from services.monitor.canary.http_reader import HttpReader
from services.monitor.canary.metrics import MeasuredCalls
from services.monitor.canary.publisher import KafkaEvents
from services.monitor.canary.run import Limits, Stage
from services.monitor.settings import MonitorSettings


@asynccontextmanager
async def canary(settings: MonitorSettings, partitions: Callable[[], int]) -> AsyncIterator[Canary | None]:
    """Run the canary in the background while the context lasts, if it is on; yield None if not.

    `partitions` returns how many each input topic has, 0 if that is not known.
    """
    if not settings.monitor_canary:
        yield None
        return
    events = KafkaEvents(settings.kafka)
    key, secret = _text(settings.monitor_canary_api_key), _text(settings.monitor_canary_api_secret)
    async with HttpReader(settings.monitor_canary_api_url, key, secret) as reader:
        limits = Limits(late=settings.monitor_canary_late_seconds)
        stage = Stage(settings.topics, events, reader, MeasuredCalls(), limits)
        running = Canary(stage, settings.monitor_canary_organization, settings.monitor_canary_seconds, partitions)
        task = asyncio.create_task(running.run())
        try:
            yield running
        finally:
            task.cancel()
            await asyncio.wait([task])
            await events.stop()


def _text(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value()
