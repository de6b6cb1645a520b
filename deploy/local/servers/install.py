"""The jars that a pom names, downloaded once by Maven: Kafka's."""

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
"""What is downloaded is shared by everything that runs from this checkout, wherever its state lies."""

LIBS = DOWNLOADS / "kafka" / "libs"

STAMP = "installed"
"""The file that makes a folder of jars a whole one: it is written last and holds the digest of the pom."""

FIRST_LINES = 5


def is_installed(libs: Path = LIBS, pom: Path = POM) -> bool:
    """Say whether `libs` holds all jars of today's pom."""
    stamp = libs / STAMP
    return stamp.is_file() and stamp.read_text() == _digest(pom)


def install(progress: Callable[[str], None], libs: Path = LIBS, *, pom: Path = POM, what: str = "Kafka") -> None:
    """Download the jars of `what`, which the pom names, into `libs`, unless they are there.

    Raises:
        LocalError: Maven or Java is missing, or the download failed; `libs` is as it was.
    """
    if is_installed(libs, pom):
        # For make, which goes by the time of the file: a checkout can make the pom look newer than it is.
        (libs / STAMP).touch()
        return
    with locked(libs.parent), tempfile.TemporaryDirectory(dir=libs.parent, prefix="download-") as scratch:
        progress(f"Downloading {what} into {libs}")
        fresh = Path(scratch) / "libs"
        _download(fresh, pom, what)
        _replace(libs, fresh, Path(scratch) / "old")


def _download(folder: Path, pom: Path, what: str) -> None:
    find_java()
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalError(
            f"There is no mvn on the PATH. Maven downloads {what}, once (Debian, Ubuntu: `apt install maven`)."
        )
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    done = subprocess.run(  # noqa: S603 - the command is ours
        [maven, "-q", "-B", "-f", str(pom), *goal],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not any(folder.glob("*.jar")):
        told = "\n".join(f"  {line}" for line in done.stdout.splitlines()[:FIRST_LINES])
        raise LocalError(f"Maven could not download {what} (exit status {done.returncode}):\n{told}")
    (folder / STAMP).write_text(_digest(pom))


def _replace(libs: Path, fresh: Path, old: Path) -> None:
    if libs.exists():
        libs.rename(old)
    fresh.rename(libs)


def _digest(pom: Path) -> str:
    return hashlib.sha256(pom.read_bytes()).hexdigest()
