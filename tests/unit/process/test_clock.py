"""The server's clock, by a steady clock between two readings."""

from dataclasses import dataclass

from structlog.testing import capture_logs

from shared.process.clock import ServerClock, steady_ms


@dataclass
class Machine:
    """A machine and a server whose clocks the test sets."""

    server: int = 1_790_000_000_000
    local: int = 1_790_000_000_000
    steady: int = 5_000
    reading_takes: int = 0

    async def read(self) -> int:
        self.steady += self.reading_takes // 2
        shown = self.server
        self.steady += self.reading_takes - self.reading_takes // 2
        return shown

    def clock(self) -> ServerClock:
        return ServerClock(self.read, steady=lambda: self.steady, local=lambda: self.local)


def test_it_is_the_machines_own_clock_before_the_first_reading() -> None:
    machine = Machine(server=1, local=2)

    assert machine.clock()() == 2


async def test_it_goes_on_by_the_steady_clock_whatever_is_done_to_the_machines_own() -> None:
    machine = Machine()
    clock = machine.clock()
    await clock.sync()

    machine.steady += 250
    machine.local -= 3_600_000

    assert clock() == machine.server + 250


async def test_half_of_the_time_that_a_reading_takes_has_passed_since() -> None:
    machine = Machine(reading_takes=400)
    clock = machine.clock()

    await clock.sync()

    assert clock() == machine.server + 200


async def test_a_slow_reading_is_ignored_unless_it_is_the_first() -> None:
    machine = Machine(reading_takes=60_000)
    clock = machine.clock()
    await clock.sync()
    first = clock() - machine.steady

    machine.server += 10_000_000
    await clock.sync()

    assert clock() - machine.steady == first


async def test_a_clock_that_differs_is_logged_once_until_it_is_right_again() -> None:
    machine = Machine()
    clock = machine.clock()
    with capture_logs() as logs:
        await clock.sync()
        machine.local += 3_600_000
        await clock.sync()
        await clock.sync()
        machine.local -= 3_600_000
        await clock.sync()
        machine.local -= 7_200_000
        await clock.sync()

    assert [(line["event"], line["ahead_seconds"]) for line in logs] == [
        ("clock_differs", 3600),
        ("clock_differs", -7200),
    ]


def test_the_steady_clock_does_not_go_back() -> None:
    earlier = steady_ms()

    assert 0 <= steady_ms() - earlier < 600_000
