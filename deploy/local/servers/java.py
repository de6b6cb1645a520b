"""Find the Java that runs Kafka."""

import os
import re
import shutil
import subprocess
from functools import cache

from deploy.local.errors import LocalError

OLDEST_JAVA = 17
"""What Kafka 4's broker needs (Kafka's documentation, "Java Version")."""

ADVICE = (
    f"Kafka needs Java {OLDEST_JAVA} or newer "
    f"(Debian, Ubuntu: `apt install openjdk-{OLDEST_JAVA}-jre-headless`), on the PATH or as JAVA_HOME."
)


def find_java() -> str:
    """Return the path of a `java` that is new enough: of JAVA_HOME if that is set, else of the PATH.

    Raises:
        LocalError: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        raise LocalError(f"There is no java {f'in JAVA_HOME ({home})' if home else 'on the PATH'}. {ADVICE}")
    if (version := _version(java)) < OLDEST_JAVA:
        raise LocalError(f"{java} is Java {version or '(of unknown version)'}, which is too old. {ADVICE}")
    return java


@cache
def _version(java: str) -> int:
    """Return the feature version: 17 for `17.0.15`, 8 for `1.8.0_292`, 0 if it prints none."""
    done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603 - looked up above
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(found[1]) if found else 0
