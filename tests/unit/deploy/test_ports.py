"""Ports that are picked while others pick."""

import os
import subprocess
import sys

from deploy.local.ports import BLOCK, free_port

PICKS_ONE_AND_STAYS = """
import os
os.getpid = lambda: {pid}
from deploy.local.ports import free_port
print(free_port(), flush=True)
input()
"""


def test_a_port_is_picked_once_before_its_server_listens() -> None:
    ports = [free_port() for _ in range(BLOCK // 2)]

    assert len(set(ports)) == len(ports)


def test_two_processes_that_begin_at_the_same_block_pick_from_different_ones() -> None:
    here = free_port() // BLOCK
    command = [sys.executable, "-c", PICKS_ONE_AND_STAYS.format(pid=os.getpid())]

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        there = int(other.stdout.readline()) // BLOCK
        other.communicate("\n")

    assert there != here
