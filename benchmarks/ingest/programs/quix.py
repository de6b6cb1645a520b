"""Quix Streams with its MongoDB sink: each event replaces the document of its id. Runs on libraries of its own."""

import sys
from urllib.parse import urlsplit

from quixstreams import Application
from quixstreams.sinks.base.item import SinkItem
from quixstreams.sinks.community.mongodb import MongoDBSink

COMMIT_EVERY = 10_000
"""Events between two checkpoints, which write what was gathered; with 5,000 it is slower, with 50,000 no faster."""


def by_id(item: SinkItem) -> dict[str, str]:
    """Return what selects the document of an event."""
    return {"_id": item.value["id"]}


def main(bootstrap: str, mongo_uri: str, name: str, *topics: str) -> None:
    """Run until SIGTERM."""
    app = Application(
        bootstrap,
        consumer_group=name,
        auto_offset_reset="earliest",
        commit_every=COMMIT_EVERY,
        auto_create_topics=False,
        loglevel="WARNING",
    )
    mongo = urlsplit(mongo_uri)
    sink = MongoDBSink(
        host=mongo.hostname,
        port=mongo.port,
        db=name,
        collection="events",
        document_matcher=by_id,
        w="majority",
        replicaSet="rs",
    )
    for topic in topics:
        app.dataframe(app.topic(topic, value_deserializer="json")).sink(sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
