"""The machine is described, and not named."""

import os
import platform
import re

import psutil

from benchmarks.run import describe


def test_everything_that_a_figure_depends_on_is_described() -> None:
    described = describe("6.0.5")

    assert described["mongod"] == "6.0.5"
    assert described["cores"] == str(len(os.sched_getaffinity(0)))
    assert described["driver"] in {"motor", "pymongo"}
    assert float(described["load at the start"]) >= 0
    assert described["memory"] == f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    for name in ("Python", "Java", "Kafka", "faust-streaming", "aiokafka", "pydantic", described["driver"]):
        assert re.match(r"\d+\.\d+", described[name]), name


def test_no_host_is_named() -> None:
    assert platform.node() not in " ".join(describe("6.0.5").values()).split()
