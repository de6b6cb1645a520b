"""Every order in which actors' steps on a store can follow one another, explored as a graph of states.

An actor is the project's own code. Its calls on the store do not happen by themselves, but are *steps* that the search
makes: in every state it makes each actor's next step, and continues from the result. It also chooses where an actor is
killed (and what then does its work again), where an answer is lost, and where so much time passes that leases expire;
each of them at most as often as `Limits` allow. Where no actor has a step left, or only finds nothing to do, `judge`
looks at the store.

The orders are too many to be run one by one (billions with five actors), but most lead to states that others have led
to. A state is the content of the store, the position of each actor, and what is left of the limits. Nothing else
decides what can follow, so that each state is explored once. That is sound because

* an actor's position is the list of its answers so far. Its code is deterministic but for the tokens of its leases,
  which only have to differ: here they are named after the actor. A position is reached again by running the code from
  its start with the same answers, which lets a coroutine, that cannot be copied, continue in several ways;
* actors have nothing in common but the store: each act is done by a new worker;
* the memory store keeps its content in dictionaries of immutable values, so that copying the dictionaries suffices;
* stores with the same content are one object, and so are positions with the same answers: states are equal if they
  refer to the same objects.

Of orders that differ in nothing that matters, one stands for all:

* `stale_calls` and `sizes` are made together with the step after them. The content of the store just before a lease
  decides what can be leased, and sizes only limit a round. An act that ends after these alone found nothing to do: it
  stays where it is and may start again, like a fold loop that polls;
* an actor is killed directly after a step: no other actor notices when. Before its first step, a kill changes nothing;
* time passes directly before a lease that it makes possible: nothing else depends on the time. Renewing a lease gives
  a state in which that time has not passed;
* of actors that do the same and have not started, the first starts.
"""

from collections.abc import Callable, Coroutine, Hashable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.store.memory.calls import MemoryStore
from shared.store.ports import StoreUnavailable
from tests.model.actors import Act, Position, hashable
from tests.support.worker.memory_worker import Clock

LEASE_MS = 60_000
_QUIET = frozenset(
    {"stale_calls", "sizes", "organizations", "past_retention", "tombstoned", "opted_out_calls", "unredacted"}
)
_TIMED = frozenset({"stale_calls", "lease"})


class WrongEnd(Exception):
    """An order that ends wrongly: why, and its steps."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How often actors are killed, time passes and answers are lost, in one order."""

    kills: int = 0
    passes: int = 0
    losses: int = 0


@dataclass(frozen=True, slots=True)
class Explored:
    """How many orders there are, and of how many states they consist."""

    orders: int
    states: int


class _State(NamedTuple):
    memory: MemoryStore
    positions: tuple[Position, ...]
    passed: int
    kills: int
    losses: int


class _Move(NamedTuple):
    """A step that was made: `asked` is the position that waited for it, `position` the one after its answer."""

    asked: Position
    memory: MemoryStore
    position: Position


class Search:
    """Explores the orders of `scripts`, each an actor's acts, on a store whose clock is `clock`.

    `judge` gets a store on which no actor can continue, and returns what is wrong with it, or None.
    """

    def __init__(
        self,
        memory: MemoryStore,
        clock: Clock,
        scripts: Sequence[Sequence[Act]],
        judge: Callable[[MemoryStore], str | None],
        limits: Limits,
    ) -> None:
        self._clock = clock
        self._began = clock.now
        self._judge = judge
        self._limits = limits
        self._starts: dict[Hashable, Position] = {}
        self._stores: dict[Hashable, MemoryStore] = {}
        self._moves: dict[Hashable, _Move | None] = {}
        self._orders: dict[_State, int] = {}
        self._judged: set[MemoryStore] = set()
        self._path: list[str] = []
        self._memory = self._kept(memory)
        self._actors = tuple(self._start(str(actor), acts) for actor, acts in enumerate(scripts))

    def run(self) -> Explored:
        """Explore all orders.

        Raises:
            WrongEnd: the judge found something wrong.
        """
        orders = self._explore(_State(self._memory, self._actors, 0, self._limits.kills, self._limits.losses))
        return Explored(orders, len(self._orders))

    def _explore(self, state: _State) -> int:
        """Return how many orders start in this state."""
        if state not in self._orders:
            orders = 0
            for description, after in self._after(state):
                self._path.append(description)
                orders += self._explore(after)
                self._path.pop()
            if not orders:
                self._end(state.memory)
            self._orders[state] = orders or 1
        return self._orders[state]

    def _end(self, memory: MemoryStore) -> None:
        if memory not in self._judged:
            self._judged.add(memory)
            self._pass(self._limits.passes + 1)
            wrong = self._judge(_copied(memory))
            if wrong:
                raise WrongEnd("\n  ".join([wrong, *self._path]))

    def _after(self, state: _State) -> Iterator[tuple[str, _State]]:
        """Yield what can follow: its description, and the state."""
        begun = set()
        for actor, position in enumerate(state.positions):
            if position.step is None or position.acts in begun:
                continue
            if position is self._actors[actor]:
                begun.add(position.acts)
            now = self._move(state.memory, position, state.passed)
            if now:
                yield from self._outcomes(state, actor, now)
            if state.passed < self._limits.passes and position.step.name in _TIMED:
                later = self._move(state.memory, position, state.passed + 1)
                if later and (now is None or later.position is not now.position):
                    yield from self._outcomes(state._replace(passed=state.passed + 1), actor, later)

    def _outcomes(self, state: _State, actor: int, move: _Move) -> Iterator[tuple[str, _State]]:
        """Yield what can follow a move: its answer arrives or is lost, and the actor continues or is killed."""
        acts = move.asked.acts
        description = f"{actor}: {move.asked}" + f", time passed {state.passed}" * bool(state.passed)
        state = state._replace(memory=move.memory)
        yield description, self._at(state, actor, self._next_act(move.position))
        if state.losses:
            unanswered = move.asked.answered(StoreUnavailable("the answer is lost"))
            left = state._replace(losses=state.losses - 1)
            yield f"{description}, unanswered", self._at(left, actor, self._next_act(unanswered))
        if state.kills:
            left = state._replace(kills=state.kills - 1)
            for again in acts[0].again(acts[1:]):
                killed = self._start(f"{move.asked.name}'", again)
                yield f"{description}, killed, again as {[act.name for act in again]}", self._at(left, actor, killed)

    def _move(self, memory: MemoryStore, position: Position, passed: int) -> _Move | None:
        key = memory, position, passed
        if key not in self._moves:
            self._pass(passed)
            self._moves[key] = self._made(_copied(memory), position)
        return self._moves[key]

    def _made(self, memory: MemoryStore, asked: Position) -> _Move | None:
        """Make the next step on `memory`, and the quiet ones before it; None if there are only quiet ones."""
        while asked.step is not None:
            position = asked.answered(_done(getattr(memory, asked.step.name)(*asked.step.args)))
            if asked.step.name not in _QUIET:
                return _Move(asked, self._kept(memory), position)
            asked = position
        return None

    def _next_act(self, position: Position) -> Position:
        return position if position.step is not None else self._start(f"{position.name}+", position.acts[1:])

    def _start(self, name: str, acts: Sequence[Act]) -> Position:
        key = name if acts else "", tuple(acts)
        if key not in self._starts:
            self._starts[key] = Position(*key)
        return self._starts[key]

    def _kept(self, memory: MemoryStore) -> MemoryStore:
        return self._stores.setdefault(hashable(vars(memory)), memory)

    def _pass(self, times: int) -> None:
        self._clock.now = self._began + times * 2 * LEASE_MS

    @staticmethod
    def _at(state: _State, actor: int, position: Position) -> _State:
        return state._replace(positions=(*state.positions[:actor], position, *state.positions[actor + 1 :]))


def _done(step: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a step on the memory store, which never waits."""
    try:
        step.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the store waits")


def _copied(memory: MemoryStore) -> MemoryStore:
    twin = copy(memory)
    vars(twin).update({name: copy(each) for name, each in vars(memory).items() if isinstance(each, dict | list | set)})
    return twin
