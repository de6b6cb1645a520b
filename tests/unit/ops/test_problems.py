"""`callfold problems` on the in-memory store."""

import asyncio
from collections.abc import Mapping

import orjson
import pytest
from click.testing import CliRunner

from services.ops import problems
from services.ops.app import create_app
from shared.contract.ids import call_key
from shared.contract.problems import ProblemKind
from shared.contract.timestamps import milliseconds
from shared.process.clock import now_ms
from shared.store.models import CallUpdate
from shared.store.ports import Store
from tests.support.callfold import MemoryCallfold
from tests.support.store.makers import result, tokens

FIRST, SECOND = milliseconds("2026-11-27T10:00:00Z"), milliseconds("2026-11-28T09:59:00.5Z")
HOUR_MS = 3_600_000


async def fold(store: Store, call: str, arrival: int, found: Mapping[str, int]) -> None:
    await store.mark_stale([CallUpdate(call, 7, arrival, stale=True)])
    (lease,) = await store.lease([call], next(tokens))
    await store.store_results([(lease, result(problems=found))])


@pytest.fixture
def store(memory: MemoryCallfold) -> Store:
    """Return a store with two calls that contradict themselves, of two organizations, and one that does not."""

    async def fill() -> None:
        await fold(memory.database.store, "a/1", FIRST, {"turn_not_final": 3, "conflict": 1})
        await fold(memory.database.store, call_key("b", "x/2%"), SECOND, {"end_undone": 1})
        await fold(memory.database.store, "a/right", SECOND, {})

    asyncio.run(fill())
    return memory.database.store


def calls_of(memory: MemoryCallfold, *arguments: str) -> list[str]:
    return [call["call_id"] for call in orjson.loads(memory.run("problems", "--json", *arguments).stdout)]


@pytest.mark.usefixtures("store")
def test_each_call_is_a_line_the_latest_first_and_a_total_ends_the_list(memory: MemoryCallfold) -> None:
    done = memory.run("problems")

    assert done.exit_code == 0
    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
        "last_arrival organization_id call_id problem_count problem_kinds",
        "2026-11-28T09:59:00.500Z b x/2% 1 end_undone 1",
        "2026-11-27T10:00:00.000Z a 1 4 conflict 1, turn_not_final 3",
        "2 calls, 5 problems: conflict 1, end_undone 1, turn_not_final 3",
    ]


def test_without_such_calls_the_total_says_so(memory: MemoryCallfold) -> None:
    done = memory.run("problems")

    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "0 calls, 0 problems")
    assert memory.run("problems", "--json").stdout == "[]\n"


@pytest.mark.usefixtures("store")
def test_programs_get_json(memory: MemoryCallfold) -> None:
    (first, _) = orjson.loads(memory.run("problems", "--json").stdout)

    assert first == {
        "last_arrival": "2026-11-28T09:59:00.500Z",
        "organization_id": "b",
        "call_id": "x/2%",
        "problem_count": 1,
        "problem_kinds": {"end_undone": 1},
    }


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (["--organization", "a"], ["1"]),
        (["--kind", "conflict"], ["1"]),
        (["--kind", "end_undone", "--kind", "conflict"], ["x/2%", "1"]),
        (["--kind", "time_ahead"], []),
        (["--kind", "conflict", "--organization", "b"], []),
        (["--since", "2026-11-27T10:00:00.001Z"], ["x/2%"]),
        (["--since", "2026-11-27T11:00:00+01:00"], ["x/2%", "1"]),
    ],
)
@pytest.mark.usefixtures("store")
def test_limits_select_calls(memory: MemoryCallfold, limits: list[str], expected: list[str]) -> None:
    assert calls_of(memory, *limits) == expected


@pytest.mark.parametrize(
    ("ago", "listed"), [("1h", False), ("3h", True), ("7d", True), ("59m", False), ("9999s", True)]
)
def test_since_may_be_how_long_ago(memory: MemoryCallfold, ago: str, listed: bool) -> None:
    asyncio.run(fold(memory.database.store, "a/1", now_ms() - 2 * HOUR_MS, {"conflict": 1}))

    assert calls_of(memory, "--since", ago) == ["1"] * listed


@pytest.mark.usefixtures("store")
def test_a_long_list_has_one_heading(memory: MemoryCallfold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "PAGE", 1)

    lines = memory.run("problems", "--kind", "conflict").stdout.splitlines()

    assert [line.split()[0] for line in lines] == ["last_arrival", "2026-11-27T10:00:00.000Z", "1"]
    assert len(calls_of(memory)) == 2


def test_a_wrong_kind_names_the_kinds() -> None:
    done = CliRunner().invoke(create_app(), ["problems", "--kind", "conflicts"], standalone_mode=False)

    why = str(done.exception)
    assert "'conflicts' is not one of " in why
    assert all(kind in why for kind in ProblemKind if kind != "unknown_field")
    assert "unknown_field" not in why


@pytest.mark.parametrize("wrong", ["yesterday", "24", "1w", "-1h", "2026-11-22T10:00:00", "٣h"])
def test_a_time_that_cannot_be_read_is_named(wrong: str) -> None:
    done = CliRunner().invoke(create_app(), ["problems", "--since", wrong], standalone_mode=False)

    assert f"{wrong!r} must be an RFC 3339 time like 2026-11-22T10:00:00Z, or how long ago" in str(done.exception)
