"""Faust and Motor as in their tutorials: an agent that pushes each event onto its call's document.

With `w: 1` the server answers before the write is safe. The other pipelines use `majority`, the server's default, which
would make this one up to three times slower.
"""

import sys
from typing import Any

import faust
from motor.motor_asyncio import AsyncIOMotorClient

bootstrap, mongo_uri, name, *topics = sys.argv[1:]

app = faust.App(name, broker=f"kafka://{bootstrap}", value_serializer="json", web_enabled=False)
calls: Any = AsyncIOMotorClient(mongo_uri, w=1)[name]["calls"]


@app.agent(app.topic(*topics))  # type: ignore[untyped-decorator]
async def store(events: Any) -> None:
    async for event in events:
        await calls.update_one({"_id": event["subject"]}, {"$push": {"events": event}}, upsert=True)


if __name__ == "__main__":
    sys.argv[1:] = ["worker", "--loglevel=warn"]
    app.main()
