"""File descriptors: each connection takes one, and many systems start a process with 1,024."""

import resource

from shared.process.logs import logger

_OTHERS = 200
"""What the process needs in addition to connections of readers: MongoDB, the fold pool, files."""

log = logger(__name__)


def allow(connections: int) -> int:
    """Raise the limit of the process for so many connections; return for how many it suffices, less if it must be."""
    needed = connections + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return connections
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    if raised < needed:
        log.warning("file_descriptors_limited", allowed=raised, needed=needed)
    return max(1, raised - _OTHERS)
