"""The same real servers as in production, on one machine without containers.

`python -m deploy.local up` for a developer, `Stack` for programs, `KafkaServer` and `MongoServer` for tests.
"""
