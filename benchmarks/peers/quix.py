"""Quix Streams with its MongoDB sink: each event replaces the document of its id. Runs on libraries of its own."""

import sys
from urllib.parse import urlsplit

from quixstreams import Application
from quixstreams.sinks.base.item import SinkItem
from quixstreams.sinks.community.mongodb import MongoDBSink

_COMMIT_EVERY = 10_000  # events between two writes; 5,000 is slower, 50,000 no faster


def by_id(item: SinkItem) -> dict[str, str]:
    return {"_id": item.value["id"]}


def main(bootstrap: str, mongo_uri: str, name: str, *topics: str) -> None:
    """Run until SIGTERM."""
    app = Application(
        bootstrap,
        consumer_group=name,
        auto_offset_reset="earliest",
        commit_every=_COMMIT_EVERY,
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
