"""The API's example."""

from tests.support.events.makers import record
from tests.support.events.seed_call import seed_call, seed_response


def test_the_seeds_call_gives_the_seeds_record() -> None:
    seed = seed_response()["data"]

    told = record(*seed_call())

    assert list(told) == list(seed)
    assert told | {"id": None, "latency": None} == seed | {"id": None, "latency": None}


def test_the_seeds_samples_give_what_percentiles_they_can() -> None:
    seed = seed_response()["data"]["latency"]

    told = record(*seed_call())["latency"]

    for component in ("e2e", "llm"):
        assert {**told[component]}.keys() == seed[component].keys()
        for field in ("max", "min", "num", "p50"):
            assert told[component][field] == seed[component][field]
        assert set(seed[component]["values"]) <= set(told[component]["values"])
        assert told[component]["num"] == len(told[component]["values"])
    assert told["e2e"]["p90"] == seed["e2e"]["p90"]
