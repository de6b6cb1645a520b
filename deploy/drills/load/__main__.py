"""Publish until standard input ends: `python -m deploy.drills.load BOOTSTRAP`."""

import asyncio
import logging
import os
import sys
import threading

from deploy.drills.load.publishing import Publishing
from shared.contract.topics import Topics


def main(bootstrap: str) -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the broker may be away on purpose
    publishing = Publishing(bootstrap, Topics())
    threading.Thread(target=_follow, args=(publishing,), daemon=True).start()
    asyncio.run(publishing.run())


def _follow(publishing: Publishing) -> None:
    for line in sys.stdin.buffer:
        publishing.order(line)
    os._exit(0)  # the program that started this one has ended, perhaps while Kafka is away


if __name__ == "__main__":
    main(*sys.argv[1:])
