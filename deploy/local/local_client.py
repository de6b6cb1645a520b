"""HTTP to servers of this machine."""

from functools import cache

import httpx


@cache
def local_client() -> httpx.Client:
    """Return the one client: to make one takes longer than a request, for it loads certificates.

    It goes through no proxy of the environment, and keeps no connection to a server that may end meanwhile.
    """
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
