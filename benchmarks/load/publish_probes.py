"""Publishes steadily: `python -m benchmarks.load.publish_probes BOOTSTRAP PREFIX RATE FIRST WARM_UP SECONDS`.

Writes a line for each probe after the warm-up: its token, its call, and when it was produced by the machine's
monotonic clock, which all processes share.
"""

import sys
import time
from itertools import islice

from benchmarks.load.probes import steady
from benchmarks.stage import producer
from shared.contract.topics import Topics

_STEP_SECONDS = 0.002


def main(bootstrap: str, prefix: str, *numbers: str) -> None:
    rate, first, warm_up, seconds = int(numbers[0]), int(numbers[1]), float(numbers[2]), float(numbers[3])
    sender = producer(bootstrap, 5, acks="all")
    sender.list_topics(timeout=10.0)  # connected before the clock starts
    began = time.monotonic()
    published = islice(steady(Topics(prefix), rate, first), events(rate, warm_up + seconds))
    for number, ((topic, key, value), probe) in enumerate(published):
        while (ahead := began + number / rate - time.monotonic()) > 0:
            sender.poll(max(ahead, _STEP_SECONDS))
        produced_at = time.monotonic()
        sender.produce(topic, value, key)
        if probe is not None and number >= events(rate, warm_up):
            sys.stdout.write(f"{probe.token} {probe.call} {produced_at}\n")
            sys.stdout.flush()
    if sender.flush(60.0):
        raise RuntimeError("the broker did not accept all events")


def events(rate: int, seconds: float) -> int:
    return round(rate * seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
