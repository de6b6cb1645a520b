"""What the benchmark's part `fresh` publishes, and how it asks."""

import time
from itertools import islice
from queue import SimpleQueue

import orjson

from benchmarks.fresh.asking import Produced, ask
from benchmarks.fresh.load import CALLS_A_PHASE, GOING_ON, WORKLOAD, Probe, steady, talking
from shared.contract.topics import Topics

TOPICS = Topics("calls")
RATE = 500


def test_each_call_is_told_in_order_to_its_end() -> None:
    told: dict[bytes, list[bytes]] = {}

    for _, key, value in islice(talking(TOPICS, CALLS_A_PHASE), 40_000):
        told.setdefault(key, []).append(value)

    for number in range(CALLS_A_PHASE, CALLS_A_PHASE + len(told)):
        whole = [value for _, _, value in WORKLOAD.call(number, TOPICS)]
        part = told[f"call-{number:08}".encode()]
        begins = whole.index(part[0])
        assert part == whole[begins : begins + len(part)]
        assert begins == 0 or number < CALLS_A_PHASE + GOING_ON


def test_probes_are_twenty_a_second_and_each_is_the_only_event_with_its_token() -> None:
    published = list(islice(steady(TOPICS, RATE, 0), 10 * RATE))

    tokens = [probe.token for _, probe in published if probe is not None]

    assert len(tokens) == len(set(tokens)) == 200
    assert tokens == [orjson.loads(value)["id"] for (_, _, value), probe in published if probe is not None]


def test_every_other_probe_opens_a_call_and_the_rest_say_something_in_one_that_is_open() -> None:
    probes = [(message, probe) for message, probe in islice(steady(TOPICS, RATE, 0), 10 * RATE) if probe is not None]

    opened = [probe.call for (topic, _, _), probe in probes if topic == TOPICS.telephony]
    spoken = [probe.call for (topic, _, _), probe in probes if topic == TOPICS.transcription]

    assert len(set(opened)) == len(opened) == len(spoken)
    assert set(spoken) <= set(opened)


def test_a_probe_is_asked_for_until_it_is_there_and_others_meanwhile() -> None:
    told = SimpleQueue[Produced | None]()
    for token in ("late", "early"):
        told.put(Produced(Probe(token, "call"), time.monotonic()))
    told.put(None)
    answers = iter([("late", False), ("early", True), ("late", False), ("late", True)])

    def holds(probe: Probe) -> bool:
        token, there = next(answers)
        assert probe.token == token
        return there

    took = ask(told, holds)

    assert len(took.readable) == 2
    assert len(took.questions) == 4
    assert next(answers, None) is None
