"""Follows the steps on standard input with a client for Python; see ../steps.py. It imports nothing of Callfold."""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

Json = dict[str, Any]
Headers = list[tuple[str, bytes]]


class Producer(Protocol):
    """What every client is used for."""

    def begin(self) -> None: ...
    def send(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None: ...
    def flush(self) -> None: ...
    def commit(self) -> None: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...


class AioKafka:
    def __init__(self, bootstrap: str, compression: str, transactional_id: str | None, settings: Json) -> None:
        self._loop = asyncio.new_event_loop()
        self._sent: list[Any] = []
        self._made: Any = None
        self._run(
            self._start(
                bootstrap_servers=bootstrap,
                transactional_id=transactional_id,
                acks="all",
                compression_type=None if compression == "none" else compression,
                **settings,
            )
        )

    async def _start(self, **options: Any) -> None:
        self._made = importlib.import_module("aiokafka").AIOKafkaProducer(**options)
        await self._made.start()

    def _run(self, waiting: Any) -> Any:
        return self._loop.run_until_complete(waiting)

    def begin(self) -> None:
        self._run(self._made.begin_transaction())

    def send(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        self._sent.append(self._run(self._made.send(topic, value, key=key, headers=headers)))

    def flush(self) -> None:
        self._run(self._made.flush())
        self._sent = [self._run(each) for each in self._sent][:0]

    def commit(self) -> None:
        self._run(self._made.commit_transaction())

    def abort(self) -> None:
        self._run(self._made.abort_transaction())

    def close(self) -> None:
        self._run(self._made.stop())
        self._loop.close()


class Librdkafka:
    def __init__(self, bootstrap: str, compression: str, transactional_id: str | None, settings: Json) -> None:
        options = {"bootstrap.servers": bootstrap, "compression.type": compression, "acks": "all", **settings}
        if transactional_id:
            options["transactional.id"] = transactional_id
        self._failed: list[object] = []
        self._made = importlib.import_module("confluent_kafka").Producer(options)
        if transactional_id:
            self._made.init_transactions()

    def begin(self) -> None:
        self._made.begin_transaction()

    def send(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        self._made.produce(topic, value, key, headers=headers, on_delivery=self._delivered)

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed.append(error)

    def flush(self) -> None:
        if self._made.flush() or self._failed:
            raise RuntimeError(f"not delivered: {self._failed}")

    def commit(self) -> None:
        self._made.commit_transaction()

    def abort(self) -> None:
        self._made.abort_transaction()

    def close(self) -> None:
        self.flush()


class KafkaPython:
    def __init__(self, bootstrap: str, compression: str, transactional_id: str | None, settings: Json) -> None:
        options = {"compression_type": None if compression == "none" else compression, "acks": "all", **settings}
        if transactional_id:
            options["transactional_id"] = transactional_id
        self._sent: list[Any] = []
        self._made = importlib.import_module("kafka").KafkaProducer(bootstrap_servers=bootstrap, **options)
        if transactional_id:
            self._made.init_transactions()

    def begin(self) -> None:
        self._made.begin_transaction()

    def send(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        self._sent.append(self._made.send(topic, value, key=key, headers=headers))

    def flush(self) -> None:
        self._made.flush()
        self._sent = [each.get() for each in self._sent][:0]

    def commit(self) -> None:
        self._made.commit_transaction()

    def abort(self) -> None:
        self._made.abort_transaction()

    def close(self) -> None:
        self._made.close()


CLIENTS: Mapping[str, tuple[str, Callable[[str, str, str | None, Json], Producer]]] = {
    "aiokafka": ("aiokafka", AioKafka),
    "confluent-kafka": ("confluent_kafka", Librdkafka),
    "kafka-python": ("kafka", KafkaPython),
}


def follow(step: Json, producer: Producer) -> None:
    match step["do"]:
        case "begin":
            producer.begin()
        case "send":
            headers = [(name, value.encode()) for name, value in step["headers"].items()]
            producer.send(step["topic"], step["key"].encode(), step["value"].encode(), headers)
        case "flush":
            producer.flush()
        case "commit":
            producer.commit()
        case "abort":
            producer.abort()
        case other:
            raise ValueError(other)


def main(bootstrap: str, options: Json) -> None:
    module, make = CLIENTS[options["client"]]
    producers: dict[int, Producer] = {}
    for step in map(json.loads, sys.stdin):
        number = step["producer"]
        if number not in producers:
            own = f"{options['transactional_id']}-{number}" if options["transactional_id"] else None
            producers[number] = make(bootstrap, options["compression"], own, options["settings"])
        follow(step, producers[number])
    finished = round(time.time() * 1000)
    for producer in producers.values():
        producer.close()
    print(json.dumps({"version": importlib.import_module(module).__version__, "finished": finished}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
