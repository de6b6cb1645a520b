"""Faults of MongoDB, of Kafka and of the connections to them, by name. Each fault ends by itself."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from deploy.local.servers.process import Server
from deploy.local.servers.proxy import ANYBODY, Path, Proxy
from tests.faults.harness.stage import Fault, Stage
from tests.support.servers.replica_set import CLIENTS, MEMBERS

_WRITES = ("insert", "update")
_READS = ("find", "getMore")
_BEYOND_A_TIMEOUT = 8.0
"""Seconds: longer than a session of the group and than the limit of an operation of MongoDB."""


async def kill_primary(stage: Stage, rng: random.Random) -> bool:
    """Kill the primary; what it has not replicated is rolled back when it returns."""
    member = await asyncio.to_thread(stage.mongo.primary)
    await asyncio.to_thread(member.kill)
    await _started_again(member, rng)
    return True


async def kill_all_members(stage: Stage, rng: random.Random) -> bool:
    """Kill all members at once."""
    await asyncio.gather(*(asyncio.to_thread(member.kill) for member in stage.mongo.members))
    await asyncio.sleep(rng.uniform(0, 3))
    await asyncio.gather(*(_started_again(member, rng) for member in stage.mongo.members))
    return True


async def stop_primary(stage: Stage, rng: random.Random) -> bool:
    """Stop the primary cleanly, and start it again."""
    member = await asyncio.to_thread(stage.mongo.primary)
    await asyncio.to_thread(member.stop)
    await _started_again(member, rng)
    return True


async def step_down(stage: Stage, _rng: random.Random) -> bool:
    """Let the primary step down."""
    member = await asyncio.to_thread(stage.mongo.primary)
    await asyncio.to_thread(member.step_down)
    await asyncio.to_thread(stage.mongo.primary)
    return True


async def isolate_primary(stage: Stage, rng: random.Random) -> bool:
    """Cut the primary off from the members, not from clients: it takes writes that are rolled back."""
    member = await asyncio.to_thread(stage.mongo.primary)
    path = member.proxy.path(MEMBERS)
    with _healing(path):
        path.refused = True
        member.proxy.cut(MEMBERS)
        await asyncio.sleep(rng.uniform(3, 6))
    await asyncio.to_thread(stage.mongo.primary)
    return True


async def kill_broker(stage: Stage, rng: random.Random) -> bool:
    """Kill the broker."""
    await asyncio.to_thread(stage.kafka.kill)
    await _started_again(stage.kafka, rng)
    return True


async def stop_broker(stage: Stage, rng: random.Random) -> bool:
    """Stop the broker cleanly, and start it again."""
    await asyncio.to_thread(stage.kafka.stop)
    await _started_again(stage.kafka, rng)
    return True


async def _started_again(server: Server, rng: random.Random) -> None:
    await asyncio.sleep(rng.uniform(0, 3))
    await asyncio.to_thread(server.start)
    await asyncio.to_thread(server.wait_until_ready)


def failing(commands: tuple[str, ...], **failure: Any) -> Fault:
    """Return the fault in which some commands fail on the primary, by MongoDB's failpoint."""

    async def fault(stage: Stage, rng: random.Random) -> bool:
        member = await asyncio.to_thread(stage.mongo.primary)
        await asyncio.to_thread(member.fail, commands, rng.randrange(2, 9), **failure)
        await asyncio.sleep(3)
        await asyncio.to_thread(member.fail_no_more)
        return True

    return fault


def cut(proxies: Callable[[Stage], list[tuple[Proxy, str]]]) -> Fault:
    """Return the fault in which connections are closed several times."""

    async def fault(stage: Stage, rng: random.Random) -> bool:
        for _ in range(4):
            for proxy, callers in proxies(stage):
                proxy.cut(callers)
            await asyncio.sleep(rng.uniform(0.2, 1.5))
        return True

    return fault


def delay(proxies: Callable[[Stage], list[tuple[Proxy, str]]]) -> Fault:
    """Return the fault in which all traffic is delayed."""

    async def fault(stage: Stage, rng: random.Random) -> bool:
        with _healing(*_paths(proxies(stage))) as paths:
            for path in paths:
                path.delay = rng.uniform(0.1, 0.4)
            await asyncio.sleep(_BEYOND_A_TIMEOUT)
        return True

    return fault


def stall(proxies: Callable[[Stage], list[tuple[Proxy, str]]]) -> Fault:
    """Return the fault in which all traffic stalls for a while."""

    async def fault(stage: Stage, _rng: random.Random) -> bool:
        with _healing(*_paths(proxies(stage))) as paths:
            for path in paths:
                path.stalled = True
            await asyncio.sleep(_BEYOND_A_TIMEOUT)
        return True

    return fault


def lose_answers(proxies: Callable[[Stage], list[tuple[Proxy, str]]]) -> Fault:
    """Return the fault in which requests take effect, and the connection is closed without an answer.

    No failpoint of mongod does this: `closeConnection` closes the connection before the command runs.
    """

    async def fault(stage: Stage, rng: random.Random) -> bool:
        for _ in range(3):
            with _healing(*_paths(proxies(stage))) as paths:
                for path in paths:
                    path.answers_lost = True
                await asyncio.sleep(rng.uniform(0.2, 0.6))
                for proxy, callers in proxies(stage):
                    proxy.cut(callers)
            await asyncio.sleep(1)
        return True

    return fault


def to_mongodb(stage: Stage) -> list[tuple[Proxy, str]]:
    """Return the proxies between clients and MongoDB."""
    return [(member.proxy, CLIENTS) for member in stage.mongo.members]


def to_kafka(stage: Stage) -> list[tuple[Proxy, str]]:
    """Return the proxy between workers and Kafka."""
    return [(stage.kafka.proxy, ANYBODY)]


def _paths(proxies: list[tuple[Proxy, str]]) -> list[Path]:
    return [proxy.path(callers) for proxy, callers in proxies]


@contextmanager
def _healing(*paths: Path) -> Iterator[tuple[Path, ...]]:
    try:
        yield paths
    finally:
        for path in paths:
            path.heal()


SERVER_FAULTS: dict[str, Fault] = {
    "mongod: kill -9 of the primary": kill_primary,
    "mongod: kill -9 of all members": kill_all_members,
    "mongod: clean stop of the primary": stop_primary,
    "mongod: step-down": step_down,
    "mongod: the primary cut off from the others": isolate_primary,
    "mongod: NotWritablePrimary": failing((*_WRITES, *_READS), errorCode=10107),
    "mongod: MaxTimeMSExpired": failing((*_WRITES, *_READS), errorCode=50),
    "mongod: ExceededTimeLimit": failing((*_WRITES, *_READS), errorCode=262),
    "mongod: connection closed before a command": failing((*_WRITES, *_READS), closeConnection=True),
    "mongod: write concern error, the write done": failing(
        _WRITES, writeConcernError={"code": 64, "errmsg": "waiting for replication timed out"}
    ),
    "broker: kill -9": kill_broker,
    "broker: clean stop": stop_broker,
    **{
        f"way to {name}: {trouble.__name__.replace('_', ' ')}": trouble(proxies)
        for name, proxies in (("Kafka", to_kafka), ("MongoDB", to_mongodb))
        for trouble in (cut, delay, stall, lose_answers)
    },
}
