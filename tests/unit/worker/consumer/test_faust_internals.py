"""The gate for another Faust, continued: what the worker overrides and reads inside it is still there."""

# ruff: noqa: SLF001 - what the worker leans on inside Faust is the point here

import asyncio
import inspect
import os
import socket

import pytest
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver

from services.worker.consumer.consumer import ChunkConsumer
from services.worker.consumer.consumer_thread import ChunkThread
from tests.support.worker.unstarted_consumer import unstarted


async def test_it_reads_committed_transactions_only_and_has_its_own_fetch_limits() -> None:
    async with unstarted() as (worker, _):
        thread = ChunkThread(worker.consumer, loop=asyncio.get_running_loop())
        thread.thread_loop.close()

        made = thread._create_worker_consumer(worker.consumer.transport)

        assert (made._isolation_level, made._fetch_max_wait_ms) == ("read_committed", 100)
        assert (made._fetch_min_bytes, made._fetch_max_bytes) == (1, 8_388_608)
        await made.stop()


async def test_it_learns_of_a_rebalance_within_half_a_second() -> None:
    async with unstarted() as (worker, _):
        thread = ChunkThread(worker.consumer, loop=asyncio.get_running_loop())
        thread.thread_loop.close()

        made = thread._create_worker_consumer(worker.consumer.transport)

        assert made._heartbeat_interval_ms <= 500
        await made.stop()


OVERRIDDEN = [
    (ChunkThread, driver.AIOKafkaConsumerThread, "_create_worker_consumer"),
    (ChunkThread, driver.AIOKafkaConsumerThread, "_keepalive2"),
    *(
        (ChunkConsumer, driver.Consumer, name)
        for name, member in vars(ChunkConsumer).items()
        if inspect.isfunction(member) and name not in {"may_write", "written_until", "end_position"}
        if hasattr(driver.Consumer, name)
    ),
]


def test_the_overridden_methods_are_known() -> None:
    assert {name for _, _, name in OVERRIDDEN[2:]} >= {
        "getmany",
        "ack",
        "on_buffer_full",
        "perform_seek",
        "seek_to_committed",
        "on_partitions_revoked",
        "wait_empty",
        "_add_gap",
        "_filter_tps_with_pending_acks",
        "_new_consumer_thread",
        "_new_offset",
        "verify_all_partitions_active",
    }


@pytest.mark.parametrize(("mine", "fausts", "name"), OVERRIDDEN, ids=str)
def test_an_overriding_method_has_the_parameters_of_fausts(mine: type, fausts: type, name: str) -> None:
    if name == "__init__":
        return

    def parameters(owner: type) -> list[str]:
        return list(inspect.signature(getattr(owner, name)).parameters)

    assert parameters(mine) == parameters(fausts)
    assert inspect.iscoroutinefunction(getattr(mine, name)) == inspect.iscoroutinefunction(getattr(fausts, name))


@pytest.mark.parametrize(
    "name",
    [
        "_wait_next_records",
        "_set_active_tps",
        "maybe_wait_for_commit_to_finish",
        "stop_flow",
        "resume_flow",
        "commit",
        "seek_to_committed",
        "track_message",
    ],
)
def test_the_methods_of_faust_that_are_called_exist(name: str) -> None:
    assert callable(getattr(driver.Consumer, name))
    assert callable(driver.AIOKafkaConsumerThread.seek_to_beginning)


@pytest.mark.parametrize(
    ("loop", "calls"),
    [
        (Consumer._drain_messages, ["getmany(", "_n_acked", "set_read_offset(tp, offset)", "callback(message)"]),
        (Consumer._filter_committable_offsets, ["_new_offset(", "_should_commit("]),
        (Consumer.force_commit, ["_filter_tps_with_pending_acks("]),
        (Consumer.perform_seek, ["seek_to_committed("]),
        (Consumer.on_stop, ["wait_empty("]),
        (Consumer._commit_livelock_detector.fun, ["self.verify_all_partitions_active("]),
        (driver.AIOKafkaConsumerThread.start, ["self._keepalive2("]),
    ],
)
def test_faust_calls_the_overridden_methods(loop: object, calls: list[str]) -> None:
    source = inspect.getsource(loop)  # type: ignore[arg-type]

    assert [each for each in calls if each not in source] == []


async def test_the_attributes_of_faust_that_are_read_exist() -> None:
    read = ("_read_offset", "_buffered_partitions", "_n_acked", "flow_active", "app", "_thread")

    async with unstarted() as (worker, _):
        assert [name for name in read if not hasattr(worker.consumer, name)] == []


async def test_each_worker_has_a_client_id_that_leads_to_its_process() -> None:
    async with unstarted() as (worker, _):
        thread = ChunkThread(worker.consumer, loop=asyncio.get_running_loop())
        thread.thread_loop.close()

        made = thread._create_worker_consumer(worker.consumer.transport)

        assert made._client._client_id == f"callfold-worker-{socket.gethostname()}-{os.getpid()}"
        await made.stop()
