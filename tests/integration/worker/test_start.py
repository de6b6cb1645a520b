"""What the worker checks and creates at its start."""

from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES, Topics
from tests.integration.worker.conftest import MakeWorker
from tests.support.eventually import eventually
from tests.support.worker.process import WorkerProcess

SESSION_SECONDS = 300


async def test_missing_topics_are_created_with_the_configured_partitions(
    kafka_bootstrap: str, mongo_uri: str, name: str, database: str, tmp_path: Path
) -> None:
    topics = Topics(name)

    with WorkerProcess(kafka_bootstrap, mongo_uri, topics, database, tmp_path, partitions=5):
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
        await admin.start()
        described = await admin.describe_topics([*topics.inputs, topics.dead_letter])
        await admin.close()

    assert {each["topic"]: len(each["partitions"]) for each in described} == {
        topics.telephony: 5,
        topics.transcription: 5,
        topics.dead_letter: 1,
    }


async def test_a_dead_letter_topic_that_accepts_less_than_the_input_topics_ends_the_start(
    kafka_bootstrap: str, mongo_uri: str, name: str, database: str, tmp_path: Path
) -> None:
    topics = Topics(name)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    size = {"max.message.bytes": str(DEAD_LETTER_MAX_MESSAGE_BYTES // 2)}
    await admin.create_topics([NewTopic(topics.dead_letter, 1, 1, topic_configs=size)])
    await admin.close()

    worker = WorkerProcess(kafka_bootstrap, mongo_uri, topics, database, tmp_path).start()

    assert worker.wait() == 2
    assert f"{topics.dead_letter} accepts records of" in worker.log.read_text()


def test_a_wrong_setting_is_named_with_its_value_and_what_it_must_be(make_worker: MakeWorker) -> None:
    worker = make_worker(partitions=0).start()

    assert worker.wait() == 2
    (line,) = worker.log.read_text().splitlines()
    assert line.startswith("CALLFOLD_PARTITIONS is '0': input should be greater than or equal to 1 (Partitions of")


def test_a_missing_secret_is_named_and_a_wrong_one_not_shown(make_worker: MakeWorker) -> None:
    worker = make_worker(log_id_hmac_key="too short").start()

    assert worker.wait() == 2
    output = worker.log.read_text()
    assert output.startswith("CALLFOLD_LOG_ID_HMAC_KEY is wrong: ")
    assert "too short" not in output.removeprefix("CALLFOLD_LOG_ID_HMAC_KEY is wrong: value should have at least")


async def test_a_worker_that_waits_for_its_group_is_not_ready_and_stops_at_once(make_worker: MakeWorker) -> None:
    dead = make_worker(session_seconds=SESSION_SECONDS).start().wait_until_ready()
    dead.kill()
    joining = make_worker(session_seconds=SESSION_SECONDS).start()
    await eventually(lambda: joining.missing() == "the consumer group")

    status = joining.stop()  # which takes a fraction of the session that the dead one still has

    assert status == 0
    assert not [line for line in joining.log.read_text().splitlines() if "partitions_assigned" in line]
