"""Publish steadily: `python -m benchmarks.fresh.publishing`, a process of its own.

Each probe is told on standard output when it is produced: its token, its call, and the time of the machine's monotonic
clock, which all processes share.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from itertools import islice

from confluent_kafka import Producer

from benchmarks.fresh.load import Message, Probe, steady
from shared.contract.topics import Topics

_STEP_SECONDS = 0.002

PRODUCER = {"linger.ms": 5, "acks": "all", "partitioner": "murmur2_random"}
"""The producer's defaults, spelled out; the partitioner is that of Java's clients."""


def main() -> None:
    """Publish for as long as was asked; return when the broker has all of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fresh.publishing")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--prefix", required=True, help="the topics'")
    parser.add_argument("--rate", type=int, required=True, help="events per second")
    parser.add_argument("--warm-up", type=float, required=True, help="seconds before the first probe is told")
    parser.add_argument("--seconds", type=float, required=True, help="seconds from then on")
    parser.add_argument("--first", type=int, required=True, help="the first call's number")
    chosen = parser.parse_args()
    producer = Producer({"bootstrap.servers": chosen.bootstrap, **PRODUCER})
    producer.list_topics(timeout=10.0)  # connected before the clock starts
    messages = steady(Topics(chosen.prefix), chosen.rate, chosen.first)
    untold = events(chosen.rate, chosen.warm_up)
    total = events(chosen.rate, chosen.warm_up + chosen.seconds)
    publish(producer, islice(messages, total), chosen.rate, untold)
    if producer.flush(60.0):
        raise RuntimeError("the broker did not take all events")


def publish(producer: Producer, messages: Iterable[tuple[Message, Probe | None]], rate: int, untold: int) -> None:
    """Publish at an even pace, and tell of the probes that are not among the first `untold` events."""
    began = time.monotonic()
    for number, ((topic, key, value), probe) in enumerate(messages):
        _wait_until(producer, began + number / rate)
        produced_at = time.monotonic()
        producer.produce(topic, value, key)
        if probe is not None and number >= untold:
            sys.stdout.write(f"{probe.token} {probe.call} {produced_at}\n")
            sys.stdout.flush()


def events(rate: int, seconds: float) -> int:
    """Return how many events are published in so many seconds."""
    return round(rate * seconds)


def _wait_until(producer: Producer, due: float) -> None:
    while (ahead := due - time.monotonic()) > 0:
        producer.poll(max(ahead, _STEP_SECONDS))


if __name__ == "__main__":
    main()
