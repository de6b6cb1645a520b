"""Every order in which actors' steps on a store can follow one another, explored as a graph of states.

An actor is the project's own code, given a store whose calls do not happen but are *steps* that the search makes for
it: in every state it makes each actor's next step, and goes on from what comes of it. Beside the steps it chooses
where an actor stops for ever (and what then does its work again), where an answer is lost on its way back, and where
so much time passes that claims run out; of each at most so often as `Limits` say. Where nobody has a step left, or
only looks around in vain, `judge` looks at the store.

Orders are too many to be run one by one (billions with five actors), but they meet: most lead to states that others
have led to. A state is what is in the store, where each actor stands, and what is left of the limits. What can follow
depends on nothing else, so that each is explored once. That is sound because

* an actor's place is all that it was answered so far. Its code is deterministic but for the tokens of its claims,
  which only have to differ: here they are named for the actor. So a place is reached again by running the code from the
  start and giving it the same answers, which is how a coroutine, that cannot be copied, goes on in several ways;
* actors have nothing in common but the store: each act is done by a worker of its own, that starts from scratch;
* the memory store keeps what it knows in dictionaries of values that never change, so that copying these copies it;
* stores with the same content are one object, and so are places with the same answers: states are the same if they
  name the same objects.

Of orders that differ in nothing that matters, one stands for all:

* `waiting` and `sizes` are made together with the step after them. What is in the store just before a claim decides
  what can be claimed, and sizes only bound a round. An act that comes to an end by these alone found nothing to do: it
  stays where it is and may begin again, as a folder does that polls;
* an actor is killed directly after a step: nobody else notices when. Before its first it is as if it had never been;
* time passes directly before a claim that it makes possible: nothing else asks for the time. Renewing a claim gives
  a state in which that time has not passed;
* of actors that do the same and have not begun, the first begins.
"""

from collections.abc import Callable, Coroutine, Hashable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.store.memory.calls import MemoryStore
from shared.store.ports import StoreUnavailable
from tests.model.actors import Act, Place, hashable
from tests.support.worker.memory_worker import Clock

CLAIM_MS = 60_000
_QUIET = frozenset(
    {"stale_calls", "sizes", "organizations", "past_retention", "tombstoned", "opted_out_calls", "unredacted"}
)
_TIMED = frozenset({"stale_calls", "lease"})


class WrongEnd(Exception):
    """An order that does not end as it should: why, and its steps."""


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
    places: tuple[Place, ...]
    passed: int
    kills: int
    losses: int


class _Move(NamedTuple):
    """An actor's next step, made: `asked` is the place that waited for it, `place` the one after its answer."""

    asked: Place
    memory: MemoryStore
    place: Place


class Search:
    """Explores what comes of `scripts`, each an actor's acts, on a store whose clock is `clock`.

    `judge` is given a store with which nobody goes on, and returns what is wrong with it, or None.
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
        self._starts: dict[Hashable, Place] = {}
        self._stores: dict[Hashable, MemoryStore] = {}
        self._moves: dict[Hashable, _Move | None] = {}
        self._orders: dict[_State, int] = {}
        self._judged: set[MemoryStore] = set()
        self._path: list[str] = []
        self._memory = self._kept(memory)
        self._actors = tuple(self._start(str(actor), acts) for actor, acts in enumerate(scripts))

    def run(self) -> Explored:
        """Explore all.

        Raises:
            WrongEnd: the judge found something wrong.
        """
        orders = self._explore(_State(self._memory, self._actors, 0, self._limits.kills, self._limits.losses))
        return Explored(orders, len(self._orders))

    def _explore(self, state: _State) -> int:
        """Return how many orders begin in this state."""
        if state not in self._orders:
            orders = 0
            for told, after in self._after(state):
                self._path.append(told)
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
        """Yield what can follow, and what that is."""
        begun = set()
        for actor, place in enumerate(state.places):
            if place.step is None or place.acts in begun:
                continue
            if place is self._actors[actor]:
                begun.add(place.acts)
            now = self._move(state.memory, place, state.passed)
            if now:
                yield from self._outcomes(state, actor, now)
            if state.passed < self._limits.passes and place.step.name in _TIMED:
                later = self._move(state.memory, place, state.passed + 1)
                if later and (now is None or later.place is not now.place):
                    yield from self._outcomes(state._replace(passed=state.passed + 1), actor, later)

    def _outcomes(self, state: _State, actor: int, move: _Move) -> Iterator[tuple[str, _State]]:
        """Yield what can come of a move: it is answered or not, and the actor goes on or is killed."""
        acts = move.asked.acts
        told = f"{actor}: {move.asked}" + f", time passed {state.passed}" * bool(state.passed)
        state = state._replace(memory=move.memory)
        yield told, self._at(state, actor, self._next_act(move.place))
        if state.losses:
            unanswered = move.asked.answered(StoreUnavailable("the answer is lost"))
            left = state._replace(losses=state.losses - 1)
            yield f"{told}, unanswered", self._at(left, actor, self._next_act(unanswered))
        if state.kills:
            left = state._replace(kills=state.kills - 1)
            for again in acts[0].again(acts[1:]):
                killed = self._start(f"{move.asked.name}'", again)
                yield f"{told}, killed, again as {[act.name for act in again]}", self._at(left, actor, killed)

    def _move(self, memory: MemoryStore, place: Place, passed: int) -> _Move | None:
        key = memory, place, passed
        if key not in self._moves:
            self._pass(passed)
            self._moves[key] = self._made(_copied(memory), place)
        return self._moves[key]

    def _made(self, memory: MemoryStore, asked: Place) -> _Move | None:
        """Make the next step on `memory`, and the quiet ones before it; None if there are no others."""
        while asked.step is not None:
            place = asked.answered(_done(getattr(memory, asked.step.name)(*asked.step.args)))
            if asked.step.name not in _QUIET:
                return _Move(asked, self._kept(memory), place)
            asked = place
        return None

    def _next_act(self, place: Place) -> Place:
        return place if place.step is not None else self._start(f"{place.name}+", place.acts[1:])

    def _start(self, name: str, acts: Sequence[Act]) -> Place:
        key = name if acts else "", tuple(acts)
        if key not in self._starts:
            self._starts[key] = Place(*key)
        return self._starts[key]

    def _kept(self, memory: MemoryStore) -> MemoryStore:
        return self._stores.setdefault(hashable(vars(memory)), memory)

    def _pass(self, times: int) -> None:
        self._clock.now = self._began + times * 2 * CLAIM_MS

    @staticmethod
    def _at(state: _State, actor: int, place: Place) -> _State:
        return state._replace(places=(*state.places[:actor], place, *state.places[actor + 1 :]))


def _done(step: Coroutine[Any, Any, Any]) -> Any:
    """Return what a step on the memory store returns, which never waits."""
    try:
        step.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the store waits")


def _copied(memory: MemoryStore) -> MemoryStore:
    twin = copy(memory)
    vars(twin).update({name: copy(each) for name, each in vars(memory).items() if isinstance(each, dict | list | set)})
    return twin
