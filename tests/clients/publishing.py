"""Let a client follow its steps."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.servers.install import LIBS
from tests.clients.catalogue import Client
from tests.clients.programs import Program
from tests.clients.steps import Step
from tests.support.eventually import scaled

_SECONDS = 120.0


class ClientFailed(Exception):
    """The program did not publish everything; the text is the end of what it wrote to standard error."""


@dataclass(frozen=True, slots=True)
class Published:
    """The version of the library, and when the last record or transaction was acknowledged, in Unix seconds."""

    version: str
    finished: float


async def publish(client: Client, program: Program, steps: Sequence[Step], bootstrap: str) -> Published:
    """Run the client's program to its end.

    Raises:
        ClientFailed: it ended with an error, or not at all.
    """
    if client.library == "java-console":
        return await _console(client, program, steps, bootstrap)
    options = {
        "client": client.library,
        "compression": client.compression,
        "transactional_id": f"publisher-{client.name}" if client.transactional else None,
        "settings": dict(client.settings),
    }
    text = "".join(json.dumps(step) + "\n" for step in steps)
    output = await _run(program, [bootstrap, json.dumps(options)], text)
    answer = json.loads(output.splitlines()[-1])
    return Published(answer["version"], answer["finished"] / 1000)


async def _console(client: Client, program: Program, steps: Sequence[Step], bootstrap: str) -> Published:
    """Run Kafka's console producer once for each topic: it reads lines of headers, key and value."""
    properties = ["parse.key=true", "parse.headers=true", "headers.key.separator=="]
    options = [word for each in properties for word in ("--property", each)]
    options += [
        "--bootstrap-server",
        bootstrap,
        "--compression-codec",
        client.compression,
        "--request-required-acks",
        "all",
    ]
    sent = [step for step in steps if step["do"] == "send"]
    for topic in sorted({step["topic"] for step in sent}):
        lines = [_line(step) for step in sent if step["topic"] == topic]
        await _run(program, [*options, "--topic", topic], "".join(lines))
    (jar,) = LIBS.glob("kafka-tools-[0-9]*.jar")
    return Published(jar.stem.removeprefix("kafka-tools-"), time.time())


def _line(step: Step) -> str:
    headers = ",".join(f"{name}={value}" for name, value in step["headers"].items())
    return f"{headers}\t{step['key']}\t{step['value']}\n"


async def _run(program: Program, arguments: Sequence[str], text: str) -> str:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *program.command,
        *arguments,
        env=os.environ | program.environment,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )
    try:
        async with asyncio.timeout(scaled(_SECONDS)):
            output, errors = await process.communicate(text.encode())
    except TimeoutError as error:
        raise ClientFailed(f"has not ended within {scaled(_SECONDS):.0f} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ClientFailed(errors.decode(errors="replace").strip()[-500:] or f"exit status {process.returncode}")
    return output.decode()
