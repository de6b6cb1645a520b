"""What is measured on: the machine, without its name, and the versions of what runs on it."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

from deploy.local.servers.install import POM
from deploy.local.servers.java import find_java
from services.worker.settings import WorkerSettings
from shared.config.settings import PREFIX

_LIBRARIES = ("faust-streaming", "aiokafka", "motor", "pymongo", "pydantic", "fastapi", "uvicorn", "uvloop", "orjson")


def describe(mongod: str) -> dict[str, str]:
    """Describe the machine and its load now; `mongod` is the version of the server that was asked for it."""
    return {
        "processor": _processor(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load at the start": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        "Java": _java(),
        "Kafka": _kafka(),
        "mongod": mongod,
        "driver": _driver(),
        **{name: version(name) for name in _LIBRARIES},
    }


def _processor(cpuinfo: str) -> str:
    """Return the model that Linux names; ARM's names none."""
    found = re.search(r"^model name\s*: (.+)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _java() -> str:
    told = subprocess.run([find_java(), "-version"], capture_output=True, text=True, check=False)  # noqa: S603 - looked up
    found = re.search(r'version "([^"]+)"', told.stderr)
    return found[1] if found else "of unknown version"


def _kafka() -> str:
    """Return the broker's version, which the image in a container shares."""
    (found,) = re.findall(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([^<]+)", POM.read_text(encoding="utf-8"))
    return str(found)


def _driver() -> str:
    """Return which driver worker and API use."""
    return os.environ.get(f"{PREFIX}MONGO_DRIVER", str(WorkerSettings.model_fields["mongo_driver"].default))
