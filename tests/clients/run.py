"""Each client in turn: publish, wait for its records, and ask what is left to read."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contract.ids import call_key
from tests.clients.catalogue import Client
from tests.clients.lag import LagUnknown, seconds_until_none_is_left
from tests.clients.programs import LIBRARIES, NotInstalled, Program
from tests.clients.publishing import ClientFailed, publish
from tests.clients.stage import TOPICS, Stage, stage
from tests.clients.steps import Plan, plan
from tests.support.events.records import by_call, expected
from tests.support.eventually import scaled

_ASKED_FOR = 60.0
_FOLDED_WITHIN = 60.0
_PAUSE_SECONDS = 0.2

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a client: seconds are None where lag 0 was not seen, `problem` is empty where all is well."""

    client: Client
    version: str = "-"
    events: int = 0
    aborted: int = 0
    mis_keyed: int = 0
    differing: int = 0
    by_callfold: float | None = None
    by_groups: float | None = None
    problem: str = ""


async def run(clients: Sequence[Client], within: float, progress: Progress) -> AsyncIterator[Result]:
    """Yield what came of each client; at the end, compare all records once more.

    `within` is the time limit for lag 0, in seconds.
    """
    programs = {name: await _installed(name, progress) for name in {each.library: None for each in clients}}
    plans: list[tuple[Client, Plan]] = []
    async with stage() as servers:
        for client in clients:
            program = programs[client.library]
            if isinstance(program, NotInstalled):
                yield Result(client, problem=f"not installed: {program}")
                continue
            progress(f"{client.name}: {client.describe()}")
            made = plan(client, TOPICS)
            plans.append((client, made))
            yield await _one(client, program, made, servers, within)
        changed = [client for client, made in plans if await servers.differing(*_wanted(made))]
    for client in changed:
        yield Result(client, problem="at the end of all, its records differ")


async def _installed(library: str, progress: Progress) -> Program | NotInstalled:
    progress(f"installing {library}, unless it is")
    try:
        return await asyncio.to_thread(LIBRARIES[library])
    except NotInstalled as missing:
        return missing


async def _one(client: Client, program: Program, made: Plan, servers: Stage, within: float) -> Result:
    try:
        return await _measured(client, program, made, servers, within)
    except (ClientFailed, LagUnknown) as failure:
        return Result(client, problem=f"failed: {failure}")


async def _measured(client: Client, program: Program, made: Plan, servers: Stage, within: float) -> Result:
    before = await servers.mis_keyed()
    published = await publish(client, program, made.steps, servers.kafka)
    callfold, groups, differing = await asyncio.gather(
        seconds_until_none_is_left(servers.callfold, published.finished, _ASKED_FOR),
        seconds_until_none_is_left(servers.groups, published.finished, _ASKED_FOR),
        _differing(servers, made),
    )
    mis_keyed = await servers.mis_keyed() - before
    late = [seconds for seconds in (callfold, groups) if seconds is None or seconds > within]
    wrong = [
        "records differ" if differing else "",
        "lag 0 came late" if late else "",
        "" if _counted(client, mis_keyed, len(made.events)) else "mis-keyed events are not counted right",
    ]
    return Result(
        client,
        published.version,
        len(made.events),
        len(made.never),
        mis_keyed,
        differing,
        callfold,
        groups,
        "; ".join(filter(None, wrong)),
    )


def _counted(client: Client, mis_keyed: int, events: int) -> bool:
    if client.own_partitioner:  # by chance it is the same partition for some
        return 0 < mis_keyed <= events
    return mis_keyed == (events if client.mis_keyed else 0)


def _wanted(made: Plan) -> tuple[dict[str, Any], list[str]]:
    """Return the records by call, and all calls, those that must have none included."""
    calls = {*by_call(made.events), *(call_key(each["organizationid"], each["subject"]) for each in made.never)}
    return expected(made.events), sorted(calls)


async def _differing(servers: Stage, made: Plan) -> int:
    """Return how many records differ, once none does or the time is over."""
    wanted, calls = _wanted(made)
    deadline = time.monotonic() + scaled(_FOLDED_WITHIN)
    while calls and time.monotonic() < deadline:
        calls = await servers.differing(wanted, calls)
        await asyncio.sleep(_PAUSE_SECONDS)
    return len(calls)
