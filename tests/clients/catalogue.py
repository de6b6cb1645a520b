"""The clients: which library publishes, how, and with which settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """How a client's events reach the topics."""

    PLAIN = "no transactions"
    COMMITTED = "transactions, committed"
    ABORTED = "transactions, some aborted, the last too"
    INTERLEAVED = "two open transactions at once, some aborted"


@dataclass(frozen=True, slots=True)
class Client:
    """A client: `library` names the program that uses it, `settings` are the library's own.

    Keys are the calls' ids, or the organization's where it is mis-keyed. The library chooses the partitions, as Java's
    clients do or in a way of its own.
    """

    name: str
    library: str
    mode: Mode = Mode.PLAIN
    compression: str = "none"
    binary: bool = False
    mis_keyed: bool = False
    own_partitioner: bool = False
    flush_every: int = 20
    settings: Mapping[str, str | int | bool] = field(default_factory=dict)

    @property
    def transactional(self) -> bool:
        return self.mode is not Mode.PLAIN

    def describe(self) -> str:
        """Return its mode, compression and settings in one line."""
        settings = [f"{name}={value}" for name, value in self.settings.items()]
        parts = [
            self.mode,
            self.compression if self.compression != "none" else "",
            "binary mode" if self.binary else "",
            "mis-keyed" if self.mis_keyed else "",
            "partitioner of its own" if self.own_partitioner else "",
        ]
        return ", ".join([part for part in parts if part] + settings)


_SMALL_BATCHES = {"linger.ms": 50, "batch.size": 512}

CLIENTS = (
    Client("java-console", "java-console", compression="gzip"),
    Client("java-console-binary", "java-console", compression="zstd", binary=True),
    Client("java", "java", compression="lz4", settings=_SMALL_BATCHES),
    Client("java-committed", "java", Mode.COMMITTED, "zstd"),
    Client("java-aborted", "java", Mode.ABORTED, "snappy", binary=True),
    Client("java-interleaved", "java", Mode.INTERLEAVED),
    Client("aiokafka", "aiokafka", compression="snappy", settings={"enable_idempotence": True}),
    Client("aiokafka-mis-keyed", "aiokafka", mis_keyed=True, flush_every=5),
    Client("aiokafka-aborted", "aiokafka", Mode.ABORTED, "gzip"),
    Client("confluent-kafka", "confluent-kafka", compression="lz4", binary=True, own_partitioner=True),
    Client("confluent-kafka-committed", "confluent-kafka", Mode.COMMITTED, "zstd", own_partitioner=True),
    Client("confluent-kafka-aborted", "confluent-kafka", Mode.ABORTED, settings={"partitioner": "murmur2_random"}),
    Client("confluent-kafka-interleaved", "confluent-kafka", Mode.INTERLEAVED, "gzip", own_partitioner=True),
    Client("kafka-python", "kafka-python", compression="gzip", settings={"batch_size": 400}),
    Client("kafka-python-aborted", "kafka-python", Mode.ABORTED, binary=True),
    Client("kafkajs", "kafkajs", compression="gzip", binary=True),
    Client("kafkajs-committed", "kafkajs", Mode.COMMITTED, "snappy"),
    Client("kafkajs-interleaved", "kafkajs", Mode.INTERLEAVED),
    Client("sarama", "sarama", compression="snappy", binary=True, own_partitioner=True),
    Client("sarama-aborted", "sarama", Mode.ABORTED, "lz4", own_partitioner=True),
    Client("franz-go", "franz-go", compression="zstd", flush_every=1),
    Client("franz-go-interleaved", "franz-go", Mode.INTERLEAVED, "lz4", binary=True),
    Client("kafka-go", "kafka-go", compression="zstd", own_partitioner=True),
    Client("kafka-go-murmur2", "kafka-go", compression="lz4", binary=True, settings={"balancer": "murmur2"}),
)
