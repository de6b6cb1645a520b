"""Every panel of the dashboards has something to show while a real stack runs under load."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import HOST, Ports, free_port
from deploy.local.servers.install import install
from deploy.local.servers.prometheus import is_installed
from deploy.local.stack import Stack
from tests.support.callfold import run
from tests.support.dashboards.load import ORGANIZATION, publish_until, read
from tests.support.dashboards.prometheus import HastyPrometheus
from tests.support.dashboards.questions import Answer, Prometheus, Question, questions
from tests.support.eventually import scaled

WITHIN = 60.0

pytestmark = pytest.mark.skipif(not is_installed(), reason="Prometheus is not installed")


def targets(ports: Ports) -> dict[str, int]:
    return {"worker": ports.metrics, "api": ports.api, "monitor": ports.monitor}


@contextmanager
def load(stack: Stack) -> Iterator[None]:
    """Publish and read in threads of their own, until the end of the block."""
    over = threading.Event()
    bootstrap = f"{HOST}:{stack.ports.kafka}"
    threads = [
        threading.Thread(target=lambda: asyncio.run(publish_until(bootstrap, over.is_set))),
        threading.Thread(target=read_until, args=(stack, over)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def read_until(stack: Stack, over: threading.Event) -> None:
    key = json.loads(run("--env", str(stack.dotenv), "keys", "create", "--organization", ORGANIZATION, "--json").stdout)
    headers = {"X-API-KEY": key["api_key"], "X-API-SECRET": key["api_secret"]}
    with httpx.Client(base_url=f"http://{HOST}:{stack.ports.api}", timeout=scaled(30), trust_env=False) as client:
        while not over.wait(1):
            read(client, "call-456", headers)


def answered(server: HastyPrometheus) -> dict[Question, Answer]:
    since, deadline = time.time(), time.monotonic() + scaled(WITHIN)
    answers: dict[Question, Answer] = {}
    waiting = questions()
    with httpx.Client(base_url=f"http://{server.address}", timeout=scaled(30), trust_env=False) as client:
        prometheus = Prometheus(client, since)
        while waiting and time.monotonic() < deadline:
            answers |= {question: prometheus.ask(question) for question in waiting}
            waiting = [question for question in waiting if not answers[question].known]
            time.sleep(1)
    return answers


@pytest.mark.timeout(300)
def test_every_panel_has_data_while_a_stack_runs_under_load(tmp_path: Path) -> None:
    install(print)
    with Stack(tmp_path / "stack", Ports.free()) as stack:
        stack.start()

        with HastyPrometheus(tmp_path / "prometheus", free_port(), targets(stack.ports)) as server, load(stack):
            answers = answered(server)

    assert [f"{question}: {answer.error}" for question, answer in answers.items() if answer.error] == []
    assert [str(question) for question, answer in answers.items() if not answer.known] == []
    assert [str(question) for question, answer in answers.items() if not answer.has(question.labels)] == []


def test_a_query_that_is_wrong_has_no_data_or_lacks_a_label_is_found(tmp_path: Path) -> None:
    wrong, empty, unknown, unlabelled = "sum(", "callfold_nothing", "vector(0) / 0", "vector(1)"
    with (
        HastyPrometheus(tmp_path, free_port(), {}) as server,
        httpx.Client(base_url=f"http://{server.address}") as client,
    ):
        prometheus = Prometheus(client, time.time())

        for instant in (True, False):
            answers = {
                expr: prometheus.ask(Question("panel", expr, frozenset({"topic"}), instant))
                for expr in (wrong, empty, unknown, unlabelled)
            }

            assert [expr for expr, answer in answers.items() if answer.error] == [wrong]
            assert [expr for expr, answer in answers.items() if answer.known] == [unlabelled]
            assert not answers[unlabelled].has(frozenset({"topic"}))
