"""Servers that let in only whom they know: with the right settings all works, with wrong ones it is said why."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
import pytest

from deploy.local.ports import HOST, free_port
from shared.config import tls
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess, Sasl
from shared.kafka.diagnose import refusal
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.ports import StoreUnavailable
from tests.support.api.client import PEPPER
from tests.support.api.program import running
from tests.support.events.makers import STARTED, event, raw
from tests.support.eventually import eventually, scaled
from tests.support.servers.certificates import KEY_PASSWORD, Certificates
from tests.support.servers.kafka import send
from tests.support.servers.secured import PASSWORD, USER, SecuredKafka, SecuredMongo, Servers, in_files
from tests.support.servers.servers import engine_answers
from tests.support.worker.process import WorkerProcess

pytestmark = pytest.mark.skipif(engine_answers(), reason="these servers run without containers only")

CALLFOLD = Path(sys.executable).with_name("callfold")
CALL = "/api/calls/call-456"
WRONG = "hunter2"
WRONG_USER = "wrong CALLFOLD_KAFKA_USERNAME or CALLFOLD_KAFKA_PASSWORD"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    ours = Certificates(tmp_path_factory.mktemp("certificates"))
    kafka = SecuredKafka(tmp_path_factory.mktemp("kafka"), ours)
    with kafka, SecuredMongo(tmp_path_factory.mktemp("mongod"), ours) as mongo:
        kafka.let_in(USER, PASSWORD)
        yield Servers(kafka, mongo, ours)


def variables(settings: dict[str, object]) -> dict[str, str]:
    return {name.upper(): str(value) for name, value in settings.items()}


def callfold(settings: dict[str, object], *arguments: str, text: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [CALLFOLD, *arguments],
        env=os.environ | {f"CALLFOLD_{name}": value for name, value in variables(settings).items()},
        input=text,
        capture_output=True,
        timeout=scaled(60),
        check=False,
    )


def worker_with(settings: dict[str, object], name: str, folder: Path) -> WorkerProcess:
    rest = {name: value for name, value in settings.items() if name not in ("kafka_bootstrap", "mongo_uri")}
    kafka, mongo = str(settings["kafka_bootstrap"]), str(settings["mongo_uri"])
    return WorkerProcess(kafka, mongo, Topics(name), name, folder, **rest)


def visible() -> str:
    """Return the command lines and environments of all processes that the tests started."""
    return "\n".join(f"{child.cmdline()} {child.environ()}" for child in psutil.Process().children(recursive=True))


async def final(url: str, key: dict[str, str]) -> Any:
    """Return the answer for the call once it is final."""
    async with httpx.AsyncClient(headers={"X-API-KEY": key["api_key"], "X-API-SECRET": key["api_secret"]}) as reader:

        async def is_final() -> bool:
            return "final" in (await reader.get(url)).headers.get_list("X-Call-Finality")

        await eventually(is_final)
        return (await reader.get(url)).json()


async def refused(access: MongoAccess) -> str:
    connection = Connection(access, "callfold", timeout_ms=int(scaled(2_000)))
    with pytest.raises(StoreUnavailable) as message:
        await MongoStore(connection).find("org-789/call-456")
    await connection.close()
    return str(message.value)


async def test_with_the_right_credentials_events_are_published_folded_and_read(
    servers: Servers, name: str, tmp_path: Path
) -> None:
    own = {"topic_prefix": name, "group": name, "mongo_database": name, "api_secret_pepper": PEPPER}
    scram256, scram512, by_certificate = (
        in_files(tmp_path / way, {**servers.settings(way), **own})
        for way in ("SCRAM-SHA-256", "SCRAM-SHA-512", "certificate")
    )
    events = [event("call.started"), event("call.note", event="Hello"), event("call.ended", at=STARTED + 9_000)]

    with worker_with(scram512, name, tmp_path) as worker, running(port := free_port(), **variables(scram512)) as api:
        key = orjson.loads(callfold(scram512, "keys", "create", "--organization", "org-789", "--json").stdout)
        published = callfold(scram256, "publish", "-", text=b"\n".join(map(raw, events)))
        await send(servers.kafka.address, [{"topic": Topics(name).telephony, "value": b"no event", "key": b"k"}])
        record = (await final(f"http://{HOST}:{port}{CALL}", key))["data"]
        (letter,) = orjson.loads(callfold(by_certificate, "dead-letters", "list", "--json").stdout)
        processes = visible()
        api.terminate()
        said = f"{worker.log.read_text()}{api.communicate(timeout=scaled(60))[1]}"

    assert published.stdout == b"3 published, 0 refused\n"
    assert (record["call_status"], len(record["events"])) == ("ENDED", 3)
    assert letter["reason"] == "not_json"
    assert str(servers.certificates.server) in processes
    assert [secret for secret in (PASSWORD, KEY_PASSWORD) if secret in processes + said] == []


async def test_a_worker_whose_access_is_refused_reports_it_and_works_once_it_is_granted(
    servers: Servers, name: str, tmp_path: Path
) -> None:
    user, password = f"user-{name}", secrets.token_hex()
    settings = in_files(tmp_path / "secrets", servers.settings("SCRAM-SHA-512", user, password))
    servers.kafka.keep_group_for(USER, name)
    worker = worker_with(settings, name, tmp_path).start()

    def said(event: str, what: str, error: str = "") -> bool:
        lines = [orjson.loads(line) for line in worker.log.read_text().splitlines()]
        errors = [line.get("error", "") for line in lines if (line["event"], line.get("dependency")) == (event, what)]
        return any(error in each for each in errors)

    with ExitStack() as started:
        started.push(worker)
        await eventually(
            lambda: said("dependency_unavailable", "kafka", f"authentication failed at {servers.kafka.sasl_ssl}: "),
        )
        servers.kafka.let_in(user, password)
        await eventually(lambda: said("dependency_unavailable", "mongodb", "authentication failed: "))
        servers.mongo.let_in(user, password, name)
        await eventually(lambda: said("dependency_unavailable", "group", "GroupAuthorizationFailedError"))
        servers.kafka.keep_group_for(user, name)
        worker.wait_until_ready()
        await eventually(lambda: said("dependency_recovered", "group"))

    assert said("dependency_recovered", "kafka")
    assert said("dependency_recovered", "mongodb")
    assert password not in worker.log.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lag"], "Kafka: authentication failed at {kafka}: wrong CALLFOLD_KAFKA_USERNAME or CALLFOLD_KAFKA_PASSWORD"),
        (["keys", "list"], "MongoDB at {mongo} refuses: authentication failed: wrong CALLFOLD_MONGO_USERNAME or "),
    ],
)
def test_a_command_whose_access_is_refused_reports_it_in_one_line(
    servers: Servers, tmp_path: Path, arguments: list[str], said: str
) -> None:
    settings = in_files(tmp_path / "secrets", servers.settings("PLAIN", password=WRONG))

    done = callfold(settings, *arguments)

    line = done.stderr.decode()
    assert (done.returncode, done.stdout, line.count("\n")) == (1, b"", 1)
    assert line.startswith(f"callfold: {said.format(kafka=servers.kafka.sasl_ssl, mongo=servers.mongo.address)}")
    assert WRONG not in line


def test_an_api_that_does_not_trust_the_server_answers_503_and_logs_why(servers: Servers, tmp_path: Path) -> None:
    given = {**servers.settings("PLAIN"), "mongo_ca_file": servers.certificates.stranger, "api_secret_pepper": PEPPER}
    settings = in_files(tmp_path / "secrets", given)

    with running(port := free_port(), **variables(settings)) as api:
        answer = httpx.get(f"http://{HOST}:{port}{CALL}", headers={"X-API-KEY": "a", "X-API-SECRET": "b"})
        api.terminate()
        _, log = api.communicate(timeout=scaled(60))

    (line,) = (line for line in map(orjson.loads, log.splitlines()) if line["event"] == "dependency_unavailable")
    assert (answer.status_code, line["dependency"]) == (503, "mongodb")
    assert line["error"].startswith("TLS failed (CALLFOLD_MONGO_CA_FILE, CALLFOLD_MONGO_CERTIFICATE_FILE): ")
    assert PASSWORD not in log


async def test_the_reason_why_mongodb_refuses_a_client_is_reported(servers: Servers) -> None:
    ours, uri = servers.certificates, servers.mongo.uri
    access = MongoAccess(uri, USER, PASSWORD, ours.authority, ours.client, KEY_PASSWORD)
    elsewhere = f"mongodb://localhost:{servers.mongo.port}/?directConnection=true"

    messages = [
        await refused(wrong)
        for wrong in (
            replace(access, password=WRONG),
            replace(access, username=None, password=None),
            replace(access, ca_file=ours.stranger),
            replace(access, uri=elsewhere),
            replace(access, certificate_file=None, key_password=None),
        )
    ]

    assert [text.split(" ")[0:2] for text in messages[:4]] == [
        ["authentication", "failed:"],
        ["not", "authorized:"],
        ["TLS", "failed"],
        ["TLS", "failed"],
    ]
    assert "localhost" in messages[3]
    assert messages[4].endswith("or the server expects TLS or a client certificate")


@pytest.mark.parametrize(
    ("listener", "trusted", "sasl", "said"),
    [
        ("sasl_ssl", "authority", ("PLAIN", USER), f"authentication failed at {{}}: {WRONG_USER}"),
        ("sasl_ssl", "authority", ("SCRAM-SHA-512", USER), f"authentication failed at {{}}: {WRONG_USER}"),
        ("sasl_plaintext", None, ("SCRAM-SHA-256", "nobody"), f"authentication failed at {{}}: {WRONG_USER}"),
        ("sasl_plaintext", None, ("PLAIN", USER), "authentication failed at {}: it does not support this "),
        ("address", None, ("PLAIN", USER), "authentication failed at {}: it does not support SASL "),
        ("sasl_ssl", "stranger", None, "TLS failed at {}: unable to get local issuer certificate "),
        ("ssl", "authority", None, "TLS failed at {}: "),
        ("ssl", None, None, "{} closes the connection: "),
        ("address", "authority", None, "{} closes the connection: "),
        ("sasl_plaintext", None, None, "{} closes the connection: "),
    ],
)
async def test_the_reason_why_kafka_refuses_a_client_is_reported(
    servers: Servers, listener: str, trusted: str | None, sasl: tuple[str, str] | None, said: str
) -> None:
    place: str = getattr(servers.kafka, listener)
    context = tls.client_context(getattr(servers.certificates, trusted)) if trusted else None
    access = KafkaAccess(place, context, Sasl(*sasl, WRONG) if sasl else None)

    message = await refusal(access)

    assert message is not None
    assert message.startswith(said.format(place))
    assert "CALLFOLD_KAFKA_" in message
    assert WRONG not in message


async def test_a_broker_whose_name_is_not_in_its_certificate_is_not_trusted(servers: Servers) -> None:
    place = servers.kafka.sasl_ssl.replace(HOST, "localhost")

    message = await refusal(KafkaAccess(place, tls.client_context(servers.certificates.authority)))

    assert message is not None
    assert message.startswith(f"TLS failed at {place}: Hostname mismatch")


async def test_there_is_no_refusal_by_a_broker_that_accepts_the_client_or_is_unreachable(servers: Servers) -> None:
    context = tls.client_context(servers.certificates.authority)

    assert await refusal(KafkaAccess(servers.kafka.sasl_ssl, context, Sasl("PLAIN", USER, PASSWORD))) is None
    assert await refusal(KafkaAccess(f"{HOST}:1", context, Sasl("PLAIN", USER, PASSWORD))) is None
