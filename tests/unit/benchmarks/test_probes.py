"""What the part `fresh` publishes, and how it asks for it."""

import time
from itertools import islice
from queue import SimpleQueue

import orjson

from benchmarks.load.ask_probes import Produced, ask
from benchmarks.load.probes import CALLS_A_PHASE, ONGOING, WORKLOAD, Probe, ongoing, steady
from shared.contract.topics import Topics

TOPICS = Topics("calls")
RATE = 500


def test_each_call_is_published_in_order_to_its_end() -> None:
    values: dict[bytes, list[bytes]] = {}

    for _, key, value in islice(ongoing(TOPICS, CALLS_A_PHASE), 40_000):
        values.setdefault(key, []).append(value)

    for number in range(CALLS_A_PHASE, CALLS_A_PHASE + len(values)):
        whole = [value for _, _, value in WORKLOAD.call(number, TOPICS)]
        part = values[f"call-{number:08}".encode()]
        begins = whole.index(part[0])
        assert part == whole[begins : begins + len(part)]
        assert begins == 0 or number < CALLS_A_PHASE + ONGOING


def test_probes_are_twenty_a_second_and_each_is_the_only_event_with_its_token() -> None:
    published = list(islice(steady(TOPICS, RATE, 0), 10 * RATE))

    tokens = [probe.token for _, probe in published if probe is not None]

    assert len(tokens) == len(set(tokens)) == 200
    assert tokens == [orjson.loads(value)["id"] for (_, _, value), probe in published if probe is not None]


def test_every_other_probe_opens_a_call_and_the_rest_are_turns_of_such_a_call() -> None:
    probes = [(message, probe) for message, probe in islice(steady(TOPICS, RATE, 0), 10 * RATE) if probe is not None]

    opened = [probe.call for (topic, _, _), probe in probes if topic == TOPICS.telephony]
    spoken = [probe.call for (topic, _, _), probe in probes if topic == TOPICS.transcription]

    assert len(set(opened)) == len(opened) == len(spoken)
    assert set(spoken) <= set(opened)


def test_a_probe_is_asked_for_until_it_is_there_and_others_meanwhile() -> None:
    arrivals = SimpleQueue[Produced | None]()
    for token in ("late", "early"):
        arrivals.put(Produced(Probe(token, "call"), time.monotonic()))
    arrivals.put(None)
    answers = iter([("late", False), ("early", True), ("late", False), ("late", True)])

    def holds(probe: Probe) -> bool:
        token, there = next(answers)
        assert probe.token == token
        return there

    times = ask(arrivals, holds)

    assert len(times.readable) == 2
    assert len(times.requests) == 4
    assert next(answers, None) is None
