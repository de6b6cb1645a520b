"""The list of dead letters: who sends what, since when, and which of it an account sees."""

from dataclasses import replace
from typing import Any

import pytest
from aiokafka import TopicPartition
from starlette.datastructures import FormData, QueryParams

from services.console.access.accounts import Role
from services.console.dead_letters.chart import HEIGHT, WIDTH, chart
from services.console.dead_letters.filters import Filter, filter_of
from services.console.dead_letters.listing import PAGE, listing
from services.console.dead_letters.newest import steps_back
from services.console.dead_letters.rows import LONGEST_TEXT, Newest, Row, later_one, row_of
from services.console.dead_letters.summary import LONGEST_CHOICE, MEANINGS
from shared.contract.problems import Reason
from shared.contract.topics import Topics
from shared.dead_letters.dead_letter import dead_letter_of
from shared.dead_letters.selection import Selection
from tests.support.events.dead_letters import SAID, Record
from tests.support.events.makers import STARTED

ROW = row_of(dead_letter_of(Record(), only_partition=True), Topics("calls"))
MINUTE_MS = 60_000


def row(number: int, **fields: Any) -> Row:
    return replace(ROW, number=str(number), moment=STARTED + number, **fields)


def newest(*rows: Row) -> Newest:
    return Newest(rows, len(rows), is_whole=True)


def test_what_is_kept_of_a_dead_letter_names_its_sender_and_why_it_cannot_be_replayed() -> None:
    headers = (*SAID, ("topic", b"payroll"))

    kept = row_of(dead_letter_of(Record(value=b"12345", headers=headers), only_partition=True), Topics("calls"))

    assert (kept.number, kept.reason, kept.call) == ("17", "missing", "call-456")
    assert kept.size == sum(len(name) + len(said) for name, said in headers) + len("call-456") + len("12345")
    assert kept.obstacle == "the topic that it names is neither calls.telephony nor calls.transcription"


def test_of_a_dead_letter_whose_texts_are_huge_little_is_kept_and_all_of_it_counts() -> None:
    huge = b"x" * 1_400_000
    headers = tuple((name, huge) for name in ("reason", "detail", "ce_organizationid", "ce_source"))
    record = Record(key=huge, value=None, headers=(*headers, ("other", None)))

    kept = row_of(dead_letter_of(record, only_partition=True), Topics("calls"))

    texts = (kept.reason, kept.detail, kept.organization, kept.source, kept.call)
    assert texts == ("x" * LONGEST_TEXT,) * 5
    assert kept.size > 5 * len(huge)
    assert LONGEST_TEXT > LONGEST_CHOICE  # a filter never has a text that was cut off


def test_a_viewer_sees_neither_the_call_nor_the_detail() -> None:
    shown = {role: listing(newest(ROW), Filter(), 1, role).rows[0] for role in Role}

    assert (shown[Role.VIEWER].call, shown[Role.VIEWER].detail) == (None, None)
    assert shown[Role.VIEWER].reason == "missing"
    assert shown[Role.SUPPORT] == shown[Role.OPERATOR] == ROW


def test_a_viewer_sees_organization_and_source_only_where_they_look_like_ids() -> None:
    number, said = row(2, organization="+4312345678", source="/pbx/12345678"), row(1, source="hello there")

    seen = listing(newest(number, said), Filter(), 1, Role.VIEWER)
    found = listing(newest(number, said), Filter({"organization": "hidden"}), 1, Role.VIEWER)
    guessed = listing(newest(number, said), Filter({"organization": "+4312345678"}), 1, Role.VIEWER)

    assert not [secret for secret in ("12345678", "hello") if secret in repr(seen)]
    assert [(sender.organization, sender.source) for sender in seen.senders] == [("hidden", "hidden"), (None, "hidden")]
    assert seen.offered["organization"] == ["hidden"]
    assert ([each.number for each in found.rows], guessed.rows) == (["2"], [])
    assert "+4312345678" in repr(listing(newest(number), Filter(), 1, Role.SUPPORT))


def test_senders_are_counted_by_reason_the_most_frequent_first() -> None:
    rows = [row(n, organization="org-1", source="/a", reason="missing") for n in (9, 7, 5)]
    others = [row(8, organization=None, source=None, reason="not_json")]

    listed = listing(newest(*rows, *others), Filter(), 1, Role.VIEWER)

    assert listed.reasons == [("missing", 3), ("not_json", 1)]
    first, second = listed.senders
    assert (first.organization, first.source, first.count) == ("org-1", "/a", 3)
    assert (first.first, first.last) == (STARTED + 5, STARTED + 9)
    assert (second.organization, second.source, second.reason, second.count) == (None, None, "not_json", 1)


def test_a_filter_limits_the_list_and_the_counts_but_not_what_a_form_offers() -> None:
    rows = [row(2, reason="missing", source="/a"), row(1, reason="not_json", source="/b")]

    listed = listing(newest(*rows), Filter({"reason": "not_json"}), 1, Role.VIEWER)

    assert [each.number for each in listed.rows] == ["1"]
    assert (listed.count, listed.read, listed.reasons) == (1, 2, [("not_json", 1)])
    assert listed.offered["source"] == ["/a", "/b"]


def test_a_value_that_no_address_can_hold_is_not_offered() -> None:
    listed = listing(newest(row(1, source="x" * (LONGEST_CHOICE + 1))), Filter(), 1, Role.SUPPORT)

    assert listed.offered["source"] == []


@pytest.mark.parametrize(("asked", "page", "first"), [(1, 1, "120"), (2, 2, "70"), (3, 3, "20"), (0, 1, "120")])
def test_pages_are_of_fifty_and_the_nearest_one_is_shown(asked: int, page: int, first: str) -> None:
    rows = [row(n) for n in range(120, 0, -1)]

    listed = listing(newest(*rows), Filter(), asked, Role.VIEWER)

    assert (listed.page, listed.pages, listed.rows[0].number) == (page, 3, first)
    assert len(listed.rows) <= PAGE


def test_no_dead_letters_are_one_empty_page() -> None:
    listed = listing(newest(), Filter(), 7, Role.VIEWER)

    assert (listed.page, listed.pages, list(listed.rows), listed.chart) == (1, 1, [], None)


@pytest.mark.parametrize(
    ("query", "limits"),
    [
        ("", {}),
        ("reason=missing&source=%2Fa&page=3&other=1", {"reason": "missing", "source": "/a"}),
        ("reason=&organization=", {}),
        ("without=source&without=number", {"source": None}),
        ("without=source&source=%2Fa", {"source": "/a"}),
    ],
)
def test_a_filter_is_what_an_address_or_a_form_states(query: str, limits: dict[str, str | None]) -> None:
    found = filter_of(QueryParams(query))

    assert found.limits == limits
    assert filter_of(FormData(list(found.parameters()))) == found
    assert filter_of(QueryParams(found.address(3).partition("?")[2])) == found


def test_a_filter_selects_the_same_dead_letters_for_a_replay() -> None:
    selection = Filter({"organization": "org-1", "source": None}).selection(7)

    assert selection == Selection(organizations=frozenset({"org-1"}), sources=frozenset({None}), since=7)
    found = replace(dead_letter_of(Record(), only_partition=True), organization="org-1")
    assert selection.includes(replace(found, source=None))
    assert not selection.includes(replace(found, source="/a"))


def test_bars_stand_upon_each_other_within_the_picture() -> None:
    rows = [row(0, reason="missing")] * 3 + [row(0, reason="not_json"), row(50 * MINUTE_MS)]

    picture = chart(rows)

    assert picture is not None
    assert (picture.step, picture.top) == (60, 4)
    low, high, last = picture.bars
    assert (low.reason, low.count, high.reason, high.count) == ("missing", 3, "not_json", 1)
    assert low.y + low.height == HEIGHT
    assert high.y + high.height == low.y
    assert high.y == 0
    assert last.x + last.width <= WIDTH
    assert picture.begins <= STARTED < picture.ends


def test_one_dead_letter_is_one_bar() -> None:
    picture = chart([ROW])

    assert picture is not None
    assert [(bar.count, bar.height) for bar in picture.bars] == [(1, HEIGHT)]


def test_a_later_dead_letter_of_the_same_record_is_found() -> None:
    found = dead_letter_of(Record(offset=17), only_partition=True)
    rows = [row(40, replayed_from="0:17"), row(30, replayed_from="0:17"), row(20, replayed_from="0:1")]

    assert later_one(rows, found) == "40"
    assert later_one(rows[2:], found) is None


def test_every_reason_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Reason)


def test_a_topic_is_read_from_its_ends_back_until_enough_is_read() -> None:
    one, other = TopicPartition("t", 0), TopicPartition("t", 1)

    steps = list(steps_back({one: (10, 1_000), other: (0, 15)}, 100))

    assert steps[:4] == [(one, 990, 1_000), (other, 5, 15), (one, 970, 990), (other, 0, 5)]
    assert steps[4:] == [(one, 930, 970), (one, 915, 930)]
    assert list(steps_back({one: (5, 5)}, 500)) == []
