"""MongoDB's profiler: which operations a test costs the server."""

from collections import Counter

from shared.store.mongo.client import Connection

# By default it has room for 1 MB, and documents are quoted in it.
_BYTES = 32 * 2**20


async def profile(connection: Connection) -> None:
    """Turn the profiler on."""
    database = connection.collection("calls").database
    await database.create_collection("system.profile", capped=True, size=_BYTES)
    await database.command("profile", 2)


async def operations(connection: Connection) -> Counter[str]:
    """Return the operations since the profiler was turned on, by kind; each update of a bulk counts."""
    database = connection.collection("calls").database
    return Counter(
        [each["op"] async for each in database["system.profile"].find({"ns": {"$not": {"$regex": "system"}}})]
    )
