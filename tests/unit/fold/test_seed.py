"""The example of the API, as events."""

from tests.support.events.makers import record
from tests.support.events.seed_call import seed_call, seed_response


def test_the_events_of_the_example_fold_into_its_record() -> None:
    seed = seed_response()["data"]

    found = record(*seed_call())

    assert list(found) == list(seed)
    assert found | {"id": None, "latency": None} == seed | {"id": None, "latency": None}


def test_the_samples_of_the_example_give_the_percentiles_that_any_samples_can() -> None:
    seed = seed_response()["data"]["latency"]

    found = record(*seed_call())["latency"]

    for component in ("e2e", "llm"):
        assert {**found[component]}.keys() == seed[component].keys()
        for field in ("max", "min", "num", "p50"):
            assert found[component][field] == seed[component][field]
        assert set(seed[component]["values"]) <= set(found[component]["values"])
        assert found[component]["num"] == len(found[component]["values"])
    assert found["e2e"]["p90"] == seed["e2e"]["p90"]
