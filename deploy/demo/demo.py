"""The demonstration: publish calls on real servers, and read them while they run and after they end."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from rich import box
from rich.console import Console
from rich.table import Table

from deploy.demo.story import Facts, Script, seed_call, story
from deploy.local.credentials.console_account import NAME, PASSWORD
from deploy.local.errors import LocalError
from deploy.local.ports import Ports
from deploy.local.stack import Progress, Stack

_READABLE_WITHIN = 120.0
_PAUSE = 0.2
_TWICE = 0.2
_SHOWN_ENTRIES = 2
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Read:
    """An answer of the API."""

    record: dict[str, Any]
    finality: str


class Reader:
    """A client of the API, with one key for each organization."""

    def __init__(self, address: str, client: httpx.Client) -> None:
        self._address = address
        self._client = client
        self._headers: dict[str, dict[str, str]] = {}

    def add_key(self, key: dict[str, str]) -> None:
        """Use this key for its organization."""
        self._headers[key["organization_id"]] = {"X-API-KEY": key["api_key"], "X-API-SECRET": key["api_secret"]}

    def read(self, organization: str, call: str) -> Read | None:
        """Return the call's record, None if the API finds no such call."""
        answer = self._client.get(f"{self._address}/api/calls/{call}", headers=self._headers[organization])
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        return Read(answer.json()["data"], answer.headers["X-Call-Finality"])

    def wait(self, organization: str, call: str, facts: Facts, finality: str | None) -> Read:
        """Return the record once it has the expected values.

        Raises:
            LocalError: it does not have them within two minutes; the message names the wrong ones.
        """
        deadline = time.monotonic() + _READABLE_WITHIN
        while True:
            found = self.read(organization, call)
            wrong = ["all"] if found is None else facts.differences(found.record)
            if found and not wrong and finality in (None, found.finality):
                return found
            if time.monotonic() > deadline:
                state = "missing" if found is None else found.finality
                raise LocalError(f"The record of {organization}/{call} ({state}) has wrong values: {', '.join(wrong)}")
            time.sleep(_PAUSE)


def demo(progress: Progress, *, keep: bool = False) -> None:
    """Run the demonstration, and stop everything that it started, unless it succeeds and is told to `keep` the stack.

    Raises:
        LocalError: a dependency is missing, or a record does not have the values that the story implies.
    """
    with ExitStack() as ending:
        folder = tempfile.mkdtemp(prefix="callfold-demo-")
        ending.callback(shutil.rmtree, folder)
        stack = ending.enter_context(Stack(Path(folder), Ports.free(), prometheus=keep))
        stack.start(progress)
        progress(f"Look at it: {stack.console_address}, as {NAME}; the password is in {stack.console / PASSWORD}")
        with _reader(stack) as reader:
            _run(stack, reader, progress, Console())
        if keep:
            ending.pop_all()
            progress(f"It stays up. To stop it: {sys.executable} -m deploy.local down --state {folder}; rm -r {folder}")
        else:
            progress("Stopping everything")
    progress("Every record said what the story implies")


def _run(stack: Stack, reader: Reader, progress: Progress, console: Console) -> None:
    scripts = list(story(time.time_ns() // 1_000_000))
    for organization in sorted({"org-789", *(script.organization for script in scripts)}):
        reader.add_key(json.loads(_callfold(stack, "keys", "create", "--organization", organization, "--json")))
    cuts = {script.call: max(1, len(script.events) * 2 // 3) for script in scripts}
    begun = [event for script in scripts for event in script.events[: cuts[script.call]]] + seed_call()
    _publish(stack, begun, progress, "while they run")
    progress(f"Reading {len(scripts) + 1} calls while they run")
    for script in scripts:
        reader.wait(script.organization, script.call, script.facts[cuts[script.call] - 1], None)
    seed = reader.wait("org-789", "call-456", seed_facts(), "live")
    _publish(
        stack, [event for script in scripts for event in script.events[cuts[script.call] :]], progress, "to their ends"
    )
    progress("Reading them when they have ended, and gone quiet")
    reads = [reader.wait(script.organization, script.call, script.facts[-1], "final") for script in scripts]
    console.print(_table(scripts, [*reads, seed]))
    console.print("The call of the API's page, with long lists and texts shortened:")
    console.print_json(json.dumps(shortened(seed.record)))


def seed_facts() -> Facts:
    """Return the expected values of the example call of the API's documentation."""
    events = seed_call()
    turns = [event["data"]["content"] for event in events if event["type"] == "transcript.turn"]
    samples = [event["data"] for event in events if event["type"] == "latency.sampled"]
    return Facts(
        status="ONGOING",
        transcript="\n".join(turns),
        timeline=("Call created", "Call started - INBOUND"),
        samples=tuple(sample["value_ms"] for sample in samples if sample["component"] == "e2e"),
        cost=Decimal("0.15"),
        from_number="+1234567890",
    )


def _publish(stack: Stack, events: Sequence[dict[str, Any]], progress: Progress, when: str) -> None:
    """Publish the events shuffled, some of them twice: neither may change a record."""
    rng = random.Random(len(events))  # noqa: S311 - a shuffle, not a secret
    delivered = [*events, *(event for event in events if rng.random() < _TWICE)]
    rng.shuffle(delivered)
    repeated = len(delivered) - len(events)
    progress(f"Publishing {len(events)} events {when}, shuffled, {repeated} of them twice")
    _callfold(stack, "publish", "-", text="".join(json.dumps(event) + "\n" for event in delivered))


def _callfold(stack: Stack, *arguments: str, text: str = "") -> str:
    """Return the output of a `callfold` command.

    Raises:
        LocalError: it failed; the message is its error.
    """
    command = [sys.executable, "-m", "services.ops", *arguments]
    done = subprocess.run(  # noqa: S603 - our own command
        command, input=text, env={**os.environ, **stack.environment()}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise LocalError(f"callfold {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def _reader(stack: Stack) -> Iterator[Reader]:
    with httpx.Client(timeout=10) as client:
        yield Reader(stack.environment()["CALLFOLD_API_URL"], client)


def shortened(value: Any) -> Any:
    """Return a JSON value with the first entries of each list, and the first characters of each text."""
    match value:
        case dict():
            return {name: shortened(each) for name, each in value.items()}
        case list() if len(value) > _SHOWN_ENTRIES:
            more = f"... and {len(value) - _SHOWN_ENTRIES} more"
            return [*map(shortened, value[:_SHOWN_ENTRIES]), more]
        case list():
            return [shortened(each) for each in value]
        case str() if len(value) > _SHOWN_CHARACTERS:
            return f"{value[:_SHOWN_CHARACTERS]}..."
        case _:
            return value


def _table(scripts: Sequence[Script], reads: Sequence[Read]) -> Table:
    table = Table(title=f"{len(scripts) + 1} calls", box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    for column in ("call", "status", "finality"):
        table.add_column(column, no_wrap=True)
    for column in ("seconds", "turns", "p50 ms", "p95 ms", "cost $"):
        table.add_column(column, justify="right", no_wrap=True)
    for read in reads:
        record = read.record
        e2e = (record["latency"] or {}).get("e2e", {})
        cost = (record["call_cost"] or {}).get("combined_cost")
        seconds, turns = record["call_duration"], len(record["transcript_object"])
        numbers = ((seconds, ".2f"), (turns, "d"), (e2e.get("p50"), ".1f"), (e2e.get("p95"), ".1f"), (cost, ".4f"))
        shown = ("-" if number is None else format(number, form) for number, form in numbers)
        table.add_row(record["call_id"], record["call_status"], read.finality, *shown)
    return table
