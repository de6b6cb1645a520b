"""Fixtures for all tests, and how much the property tests try: `--hypothesis-profile=thorough` for a long night."""

from hypothesis import settings

from tests.support.fixtures import connection, database, driver, kafka, kafka_bootstrap, mongo, mongo_uri, name, topics

__all__ = ["connection", "database", "driver", "kafka", "kafka_bootstrap", "mongo", "mongo_uri", "name", "topics"]

settings.register_profile("quick", max_examples=100, deadline=None)
settings.register_profile("thorough", max_examples=10_000, deadline=None)
settings.load_profile("quick")
