"""The canary's call: what is published, and what must become of it."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.monitor.canary.call import CanaryCall, CanaryEvent
from services.monitor.canary.call_ids import call_id_on
from services.monitor.canary.differences import differences
from shared.config.price_book import load
from shared.contract.topics import Topics
from shared.fold.fold import fold
from shared.fold.prices import PriceBook
from shared.kafka.partitioner import partition_of
from tests.support.events.makers import decoded
from tests.support.reference.cost import Book
from tests.support.reference.fold import reference_fold

START = 1_795_341_600_000
CALL = CanaryCall("callfold-canary", "canary-1", START)
TOPICS = Topics()

DEARER = """
version = "dearer"
[[prices]]
effective = 2000-01-01T00:00:00Z
increment_seconds = 30
products = { inbound_call = { unit_price = "7", billed = "duration" }, carrier = { unit_price = "9", billed = "unit" } }
"""


def all_events() -> list[CanaryEvent]:
    return [*CALL.first_events(TOPICS), *CALL.last_events(TOPICS)]


def folded(book: PriceBook) -> Any:
    result = fold(decoded(each.body for each in all_events()), book)
    return orjson.loads(orjson.dumps(result.record)), result.problems


def test_the_written_record_is_what_the_rules_make_of_the_events() -> None:
    record, problems = folded(load())

    assert record == CALL.record()
    assert not problems
    assert record == orjson.loads(orjson.dumps(reference_fold([each.body for each in all_events()], Book())))


def test_the_record_is_the_same_with_other_prices(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(DEARER)

    record, _ = folded(load(prices))

    assert differences(CALL.record(), record) == []


def test_the_first_events_give_a_call_that_goes_on() -> None:
    first = fold(decoded(each.body for each in CALL.first_events(TOPICS)), load())

    assert first.record["call_status"] == "ONGOING"


def test_both_topics_carry_events_and_one_event_comes_twice() -> None:
    identities = Counter((each.body["source"], each.body["id"]) for each in all_events())

    assert {each.topic for each in CALL.first_events(TOPICS)} == set(TOPICS.inputs)
    assert sorted(identities.values())[-2:] == [1, 2]


@pytest.mark.parametrize("partitions", [1, 3, 24])
def test_one_call_after_the_other_visits_every_partition(partitions: int) -> None:
    ids = [call_id_on(number, partitions) for number in range(partitions, 2 * partitions)]

    assert [partition_of(call_id, partitions) for call_id in ids] == list(range(partitions))


def test_without_known_partitions_a_call_has_an_id_of_its_own() -> None:
    assert call_id_on(0, 0) != call_id_on(0, 0)
