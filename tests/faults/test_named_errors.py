"""What MongoDB fails with by name is waited for: whichever step of the flush or the folder it breaks off."""

from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.support.servers.failing_mongo import OF_WRITES, WRITES, Commands, FailingMongo, NamedError, failing_mongo
from tests.support.worker.interrupted_call import STEPS, Arrival, Step, journeys

pytestmark = pytest.mark.timeout(900)

Rounds = Callable[[NamedError, Commands], Awaitable[dict[Step, Arrival]]]

CASES = [
    pytest.param(error, commands, step, id=f"{error}-{commands[0]}-{step.name.lower()}")
    for error in NamedError
    for commands, steps in STEPS.items()
    for step in steps
    if commands == WRITES or error not in OF_WRITES
]

ARRIVED = Arrival(interrupted=True, right=True, dead_letters=0, attempts=frozenset({1}), raw=0)


@pytest.fixture(scope="module")
def mongo_that_fails() -> Iterator[FailingMongo]:
    with failing_mongo() as mongo:
        yield mongo


@pytest.fixture(scope="module")
def rounds(mongo_that_fails: FailingMongo) -> Rounds:
    """Return what gives a round's results: one for each error, with a call for each step, made when it is asked for."""
    made: dict[tuple[NamedError, Commands], dict[Step, Arrival]] = {}

    async def result(error: NamedError, commands: Commands) -> dict[Step, Arrival]:
        if (error, commands) not in made:
            made[error, commands] = await journeys(mongo_that_fails, error, commands, f"{error}-{commands[0]}")
        return made[error, commands]

    return result


@pytest.mark.parametrize(("error", "commands", "step"), CASES)
async def test_a_step_that_it_breaks_off_is_done_again(
    rounds: Rounds, error: NamedError, commands: Commands, step: Step
) -> None:
    arrivals = await rounds(error, commands)

    assert arrivals[step] == ARRIVED
