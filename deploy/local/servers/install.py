"""Download the jars of a pom with Maven, once."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.lock import locked
from deploy.local.servers.java import find_java

HERE = Path(__file__).parent
POM = HERE / "kafka-pom.xml"

DOWNLOADS = HERE.parents[2] / ".local"
"""All stacks of this checkout share the downloads, wherever their state is."""

LIBS = DOWNLOADS / "kafka" / "libs"

STAMP = "installed"
"""The file that marks a folder of jars as complete: it is written last and holds the digest of the pom."""

FIRST_LINES = 5


def is_installed(libs: Path = LIBS, pom: Path = POM) -> bool:
    """Return whether `libs` holds all jars of the pom as it is now."""
    stamp = libs / STAMP
    return stamp.is_file() and stamp.read_text() == _digest(pom)


def install(progress: Callable[[str], None], libs: Path = LIBS, *, pom: Path = POM, what: str = "Kafka") -> None:
    """Download the jars of the pom into `libs`, unless they are there; `what` names them for the user.

    Raises:
        LocalError: Maven or Java is missing, or the download failed; `libs` stays unchanged.
    """
    if is_installed(libs, pom):
        # make compares times, and a checkout may give the pom a newer time.
        (libs / STAMP).touch()
        return
    with locked(libs.parent), tempfile.TemporaryDirectory(dir=libs.parent, prefix="download-") as scratch:
        progress(f"Downloading {what} into {libs}")
        fresh = Path(scratch) / "libs"
        _download(fresh, pom, what)
        _replace(libs, fresh, Path(scratch) / "old")


def find_tools(what: str = "Kafka") -> str:
    """Return the path of Maven, which downloads `what` and needs Java.

    Raises:
        LocalError: Maven or Java is missing.
    """
    find_java()
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalError(
            f"There is no mvn on the PATH. Install Maven, which downloads {what} (Debian, Ubuntu: `apt install maven`)."
        )
    return maven


def _download(folder: Path, pom: Path, what: str) -> None:
    maven = find_tools(what)
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    done = subprocess.run(  # noqa: S603 - our own command
        [maven, "-q", "-B", "-f", str(pom), *goal],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not any(folder.glob("*.jar")):
        output = "\n".join(f"  {line}" for line in done.stdout.splitlines()[:FIRST_LINES])
        raise LocalError(f"Maven could not download {what} (exit status {done.returncode}):\n{output}")
    (folder / STAMP).write_text(_digest(pom))


def _replace(libs: Path, fresh: Path, old: Path) -> None:
    if libs.exists():
        libs.rename(old)
    fresh.rename(libs)


def _digest(pom: Path) -> str:
    return hashlib.sha256(pom.read_bytes()).hexdigest()
