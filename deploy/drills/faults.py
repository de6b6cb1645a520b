"""The faults. Each is a context: it is there inside, and ended at its end."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from deploy.drills.damage import damaged_call
from deploy.drills.load.orders import Orders
from deploy.drills.member import joining_and_leaving
from deploy.drills.scene import Scene
from deploy.local import leftovers

Fault = Callable[[Scene], AbstractContextManager[None]]

_GROUP = "callfold"
_PAUSE = 0.2
_SLOW_SECONDS = 0.7
"""For which each piece of the traffic is held back: a write of a batch has several."""
_LONG_BATCHES_SECONDS = 0.2
"""The same in a storm of rebalances."""


def stopped(service: str) -> Fault:
    """Return the fault in which a service is stopped, so that nothing starts it again."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        pid = scene.pid(service)
        scene.services.stop(service)
        try:
            yield
        finally:
            # One that is still stopping counts as started, and Kafka takes its time.
            leftovers.wait_for_end(pid, leftovers.STOP_WITHIN)
            _start_again(scene, service, pid)

    return fault


def _start_again(scene: Scene, service: str, before: int) -> None:
    """Start a service as soon as supervisord has seen that its process ended."""
    while scene.pid(service) in {0, before}:
        scene.services.start(service)
        time.sleep(_PAUSE)


@contextmanager
def worker_frozen(scene: Scene) -> Iterator[None]:
    """The worker's process is there, and does nothing."""
    pid = scene.pid("worker")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def mongodb_slow(scene: Scene) -> Iterator[None]:
    """MongoDB answers, and late."""
    with scene.delayed(_SLOW_SECONDS):
        yield


def publishing(orders: Orders) -> Fault:
    """Return the fault in which something else is published than in healthy hours."""

    @contextmanager
    def fault(scene: Scene) -> Iterator[None]:
        with scene.load.publishing(orders):
            yield

    return fault


@contextmanager
def rebalance_storm(scene: Scene) -> Iterator[None]:
    """A member joins the group and leaves it, over and over, while each batch takes long."""
    bootstrap = scene.stack.environment()["CALLFOLD_KAFKA_BOOTSTRAP"]
    # A rebalance waits for the batches in progress: after short ones a worker has caught up before the next.
    with scene.delayed(_LONG_BATCHES_SECONDS), joining_and_leaving(bootstrap, _GROUP):
        yield


@contextmanager
def unfoldable_call(scene: Scene) -> Iterator[None]:
    """A document of the event log is damaged, of a call that is under way."""
    with damaged_call(scene.stack.environment()):
        yield
