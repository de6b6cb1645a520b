"""Signals: which of them end a program of the local stack."""

import signal
from collections.abc import Iterator

import pytest

from deploy.local.interrupts import SIGNALS, interrupt_on_every_signal


@pytest.fixture
def _ignored() -> Iterator[None]:
    """Let this process ignore signals, as a job in the background of a script does, and one under `nohup`."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGHUP)}
    before[signal.SIGTERM] = signal.getsignal(signal.SIGTERM)
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.usefixtures("_ignored")
@pytest.mark.parametrize(
    ("in_the_background", "interrupting"),
    [(False, [signal.SIGTERM]), (True, [signal.SIGINT, signal.SIGTERM])],
)
def test_ctrl_c_ends_a_job_in_the_background_where_it_is_wanted(
    in_the_background: bool, interrupting: list[signal.Signals]
) -> None:
    interrupt_on_every_signal(in_the_background=in_the_background)

    assert [each for each in SIGNALS if signal.getsignal(each) is signal.default_int_handler] == interrupting
