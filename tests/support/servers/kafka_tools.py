"""Kafka's own command line, in Java, from the jars of the local broker."""

import subprocess
from pathlib import Path

from deploy.local.servers.install import LIBS, install
from deploy.local.servers.java import find_java
from tests.support.eventually import scaled

PRODUCER = "org.apache.kafka.tools.ConsoleProducer"
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


def run(tool: str, *arguments: str, text: str = "", libs: Path = LIBS) -> str:
    """Return what the tool prints."""
    install(print, libs)
    done = subprocess.run(
        [find_java(), "-cp", f"{libs}/*", tool, *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        timeout=scaled(120),
    )
    return done.stdout


def group_lag(bootstrap: str, group: str) -> dict[tuple[str, int], tuple[int, int, int]]:
    """Return what `kafka-consumer-groups --describe` prints: committed, end and lag by topic and partition."""
    output = run(GROUPS, "--bootstrap-server", bootstrap, "--describe", "--group", group)
    rows = [line.split() for line in output.splitlines() if line.startswith(f"{group} ")]
    return {(row[1], int(row[2])): (int(row[3]), int(row[4]), int(row[5])) for row in rows if row[3] != "-"}
