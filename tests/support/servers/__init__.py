"""Servers of the tests; on a slow machine each gets more time to start."""

from deploy.local.servers.process import Server
from tests.support.eventually import scaled

Server.ready_within = scaled(Server.ready_within)
