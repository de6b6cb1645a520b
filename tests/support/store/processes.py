"""The processes of a pool."""

import psutil


def children(pid: int | None = None) -> list[psutil.Process]:
    """Return the running processes of the pool of a program, by default of this one."""
    found = psutil.Process(pid).children()
    running = [each for each in found if each.status() != psutil.STATUS_ZOMBIE]
    return [each for each in running if "shared.fold_pool.child" in each.cmdline()]
