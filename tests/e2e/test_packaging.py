"""What the image installs, without a container engine: the package as it is built, and the files around it."""

import os
import re
import shutil
import stat
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from deploy.local.interpreter import TESTED

ROOT = Path(__file__).parents[2]
COPIED = ("pyproject.toml", "constraints.txt", "README.md", "shared", "services", "deploy/__init__.py")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install what the Dockerfile copies, as it does, but with the libraries that are here."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in COPIED:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--target", str(target), str(source)]
    subprocess.run(pip, check=True)
    return target


PROGRAMS = ("services.worker", "services.api", "services.monitor", "services.console", "services.ops")


def python(folder: Path, environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_is_installed_shows_its_help(installed: Path, tmp_path: Path, program: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    found = python(tmp_path, environment, "-c", f"import {program} as it; print(it.__file__)")
    shown = python(tmp_path, environment, "-m", program, "--help")

    assert found.stdout.startswith(str(installed))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Example: " in shown.stdout


READ_DATA_FILES = """
from shared.config.price_book import load
import services.api.app
from services.console.rendering import Pages
load()
Pages().page("problem.html", None, title="Not found", detail="There is none.")
"""


def test_the_data_files_are_installed(installed: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    done = python(installed, environment, "-c", READ_DATA_FILES)

    assert done.returncode == 0


LOCAL_PROGRAMS = "import " + ", ".join(f"{program}.__main__" for program in ("deploy.local", *PROGRAMS))


def test_the_local_stack_and_its_demonstration_need_no_package_of_a_developer() -> None:
    needed = closure("callfold", {"local"})
    others = {name for name, owners in packages_distributions().items() if not needed & {*map(normal, owners)}}
    blocked = others - {"services", "shared", "deploy", "tests", "benchmarks"}
    assert {"pytest", "hypothesis", "matplotlib"} <= blocked
    refuse = f"import sys; sys.modules.update(dict.fromkeys({sorted(blocked)!r}))"

    done = python(ROOT, {**os.environ}, "-c", f"{refuse}\n{LOCAL_PROGRAMS}")

    assert (done.returncode, done.stderr) == (0, "")


def closure(name: str, extras: set[str]) -> set[str]:
    """Return the distributions that one needs with these extras, itself included."""
    found: set[str] = set()
    waiting = [(name, frozenset(extras))]
    while waiting:
        dist, wanted = waiting.pop()
        found.add(normal(dist))
        for requirement in map(Requirement, requires(dist) or ()):
            needed = requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in {"", *wanted}
            )
            if needed and normal(requirement.name) not in found:
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return found


def normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def test_the_image_copies_what_is_tested_here() -> None:
    copies = [line for line in (ROOT / "deploy" / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")]

    copied = {word for line in copies if "--from" not in line for word in line.split()[1:-1]}

    assert copied == set(COPIED)


def test_the_image_is_the_official_one_of_a_tested_version() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()

    images = re.findall(r"^FROM (\S+)", text, re.MULTILINE)

    tested = {f"python:{major}.{minor}-slim" for major, minor in TESTED}
    assert images
    assert set(images) <= tested


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_the_containers_listen_on_this_machine_only() -> None:
    ports = [port for service in compose()["services"].values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_long_running_container_is_started_again_and_says_whether_it_works() -> None:
    services = compose()["services"]

    for name in ("worker", "api", "monitor", "console", "kafka", "mongo", "prometheus", "grafana"):
        assert services[name]["restart"] == "unless-stopped"
        assert services[name]["healthcheck"]["test"]


def test_every_file_that_a_container_mounts_is_there_and_every_image_has_a_version() -> None:
    services = compose()["services"].values()

    mounted = [volume.split(":")[0] for service in services for volume in service.get("volumes", [])]
    images = {service["image"] for service in services} - {"callfold"}

    assert [path for path in mounted if path.startswith("./") and not (ROOT / path).exists()] == []
    assert any(path.startswith("./deploy/prometheus/") for path in mounted)
    assert all(image.split(":")[1].lstrip("v")[0].isdigit() for image in images)


def test_no_secret_stands_in_the_compose_file() -> None:
    settings = [service.get("environment", {}) for service in compose()["services"].values()]

    assert not {"CALLFOLD_API_SECRET_PEPPER", "CALLFOLD_LOG_ID_HMAC_KEY"} & {name for each in settings for name in each}


CALLFOLD = """#!/bin/sh
case "$2" in
list) cat "$FOLDER/listed" ;;
create) echo "$*" >> "$FOLDER/created"; echo '{"api_key": "cf_new", "api_secret": "new secret"}' ;;
esac
"""


@pytest.mark.parametrize(
    ("known", "kept", "created"),
    [(None, "[]", "cf_new"), ("cf_old", "[]", "cf_new"), ("cf_old", '[{"api_key": "cf_old"}]', "cf_old")],
    ids=["first start", "the database was made anew", "second start"],
)
def test_the_canary_gets_a_key_that_the_database_knows(
    tmp_path: Path, known: str | None, kept: str, created: str
) -> None:
    (tmp_path / "listed").write_text(kept)
    (tmp_path / "callfold").write_text(CALLFOLD)
    (tmp_path / "callfold").chmod(0o700)
    if known:
        for name in ("key", "secret"):
            (tmp_path / f"callfold_monitor_canary_api_{name}").write_text(known)
            (tmp_path / f"callfold_monitor_canary_api_{name}").chmod(0o400)
    command = [each.replace("$$", "$").replace("/secrets", str(tmp_path)) for each in canary_key()["command"]]
    path = f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"

    done = subprocess.run(command, env={"PATH": path, "FOLDER": str(tmp_path)}, capture_output=True, check=True)

    assert done.stdout + done.stderr == b""
    files = [tmp_path / f"callfold_monitor_canary_api_{name}" for name in ("key", "secret")]
    assert files[0].read_text() == created
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o400}


def canary_key() -> Any:
    return compose()["services"]["canary-key"]
