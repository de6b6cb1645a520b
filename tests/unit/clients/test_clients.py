"""The clients of other makers: what they are to publish, and how the answers about lag are read."""

import subprocess
import sys
from collections import Counter

import pytest

from shared.contract.topics import Topics
from tests.clients.catalogue import CLIENTS, Client, Mode
from tests.clients.lag import left
from tests.clients.programs import LIBRARIES
from tests.clients.report import table
from tests.clients.run import Result
from tests.clients.steps import Plan, plan
from tests.support.eventually import scaled

ENDS = {"commit", "abort"}


def sent(made: Plan, end: str) -> int:
    """Return how many records are in transactions with this end."""
    count: Counter[int] = Counter()
    total = 0
    for step in made.steps:
        number = step["producer"]
        count[number] += step["do"] == "send"
        if step["do"] in ENDS:
            total += count[number] if step["do"] == end else 0
            count[number] = 0
    return total


def test_every_client_has_a_name_of_its_own_and_every_library_a_client() -> None:
    names = [each.name for each in CLIENTS]

    assert len(set(names)) == len(names) >= 20
    assert {each.library for each in CLIENTS} == LIBRARIES.keys()


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_sends_each_event_once_and_commits_what_counts(client: Client) -> None:
    made = plan(client, Topics())

    sends = [step for step in made.steps if step["do"] == "send"]

    assert len(sends) == len(made.events) + len(made.never)
    if client.transactional:
        assert (sent(made, "commit"), sent(made, "abort")) == (len(made.events), len(made.never))
    assert bool(made.never) == (client.mode in (Mode.ABORTED, Mode.INTERLEAVED))


def test_two_transactions_are_open_at_once_where_they_are_interleaved() -> None:
    made = plan(Client("any", "java", Mode.INTERLEAVED), Topics())

    open_now, most = set(), 0
    for step in made.steps:
        if step["do"] == "begin":
            open_now.add(step["producer"])
        elif step["do"] in ENDS:
            open_now.remove(step["producer"])
        most = max(most, len(open_now))

    assert most == 2
    assert not open_now


def test_all_of_a_partition_without_a_committed_offset_is_left() -> None:
    output = """
GROUP  TOPIC            PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG  CONSUMER-ID  HOST  CLIENT-ID
calls  calls.telephony  0          5               7               2    a            b     c
calls  calls.telephony  1          -               4               -    a            b     c
calls  calls.telephony  2          9               9               0    a            b     c
"""

    assert left(output, "calls") == 2 + 4


def test_the_table_counts_the_clients_that_are_right() -> None:
    good, bad = (Result(each, "1.0", 3, by_callfold=0.5, by_groups=1.25) for each in CLIENTS[:2])

    lines = table([good, bad, Result(bad.client, problem="records differ")]).splitlines()

    assert lines[2].startswith(f"| {good.client.name} | 1.0 |")
    assert lines[2].endswith("| 0.5 s | 1.2 s |")
    assert lines[-2:] == [f"{bad.client.name}: records differ", "1 of 2 clients are right"]


def test_the_program_lists_the_clients() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.clients", "--list"],
        capture_output=True,
        text=True,
        check=True,
        timeout=scaled(60),
    )

    assert [line.split()[0] for line in done.stdout.splitlines()] == [each.name for each in CLIENTS]
