"""Many ordinary calls, for tests that need a load."""

import random
from collections.abc import Iterator, Sequence

from tests.support.events.makers import STARTED, Json, event

_LINES = ("Hello, how can I help you?", "It cost $27, as I said.", "One moment, please.", "Danke schön!")


def conversation(call: str, rng: random.Random, turns: int) -> list[Json]:
    """Return the events of one call, in the order in which they happened."""
    at = STARTED + rng.randrange(10_000)
    events = [
        event("call.created", at=at, call=call, agent_id="agent-7", call_type="phone_call", from_number="+491"),
        event("call.started", at=at + 2_000, call=call, direction=rng.choice(("inbound", "outbound"))),
    ]
    for number in range(turns):
        at += 2_500
        role = ("assistant", "user")[number % 2]
        events.append(
            event("transcript.turn", at=at, call=call, source="/speech", role=role, content=rng.choice(_LINES))
        )
        if role == "assistant":
            events += [_sample(call, at, component, rng) for component in ("e2e", "llm")]
    events.append(event("usage.reported", at=at, call=call, source="/agent", quantity=rng.randrange(100)))
    events.append(event("call.ended", at=at + 3_000, call=call))
    return events


def _sample(call: str, at: int, component: str, rng: random.Random) -> Json:
    value = round(rng.lognormvariate(5, 0.5), 1)
    return event("latency.sampled", at=at + 5, call=call, source="/agent", component=component, value_ms=value)


def conversations(calls: int, turns: int, seed: int = 1) -> list[list[Json]]:
    """Return the events of so many calls, call by call."""
    rng = random.Random(seed)
    return [conversation(f"call-{number}", rng, turns) for number in range(calls)]


def interleaved(calls: Sequence[list[Json]], burst: int = 6, seed: int = 1) -> Iterator[Json]:
    """Yield the events of calls that go on at the same time, in bursts of each."""
    rng = random.Random(seed)
    left = {number: list(reversed(events)) for number, events in enumerate(calls)}
    while left:
        for number in rng.sample(sorted(left), len(left)):
            for _ in range(min(burst, len(left[number]))):
                yield left[number].pop()
            if not left[number]:
                del left[number]
