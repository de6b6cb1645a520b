"""Actors whose calls on the store are steps that the search makes for them: see `interleaving`."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from shared.store.ports import Store


@dataclass(frozen=True, slots=True)
class Step:
    """A call on the store that an actor waits for."""

    name: str
    args: tuple[Any, ...]

    def __await__(self) -> Generator["Step", Any, Any]:
        return (yield self)


class _Port:
    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def step(*args: Any) -> Any:
            return await Step(name, args)

        return step


@dataclass(frozen=True, eq=False)
class Act:
    """What an actor does without interruption by itself, on the store that it is given.

    `again` returns, from the acts that were to follow, what may be done instead of all of them after a kill.
    """

    name: str
    run: Callable[[Store], Coroutine[Any, Any, Any]]
    again: Callable[[Sequence["Act"]], Sequence[Sequence["Act"]]]


class Position:
    """Where an actor is: its acts, of which the first is under way, and the answers to its steps so far.

    `step` is what it waits for, None if the act is done; `name` stands for the token of the act's lease.
    """

    def __init__(self, name: str, acts: tuple[Act, ...], answers: tuple[Any, ...] = ()) -> None:
        self.name = name
        self.acts = acts
        self.answers = answers
        self.step = self._next_step() if acts else None
        self._after: dict[Hashable, Position] = {}

    def __str__(self) -> str:
        return f"{self.acts[0].name}: {self.step.name if self.step else 'done'}" if self.acts else "done"

    def answered(self, answer: Any) -> "Position":
        """Return the position after this answer to the step; an exception is raised in the actor."""
        key = hashable(answer)
        if key not in self._after:
            self._after[key] = Position(self.name, self.acts, (*self.answers, answer))
        return self._after[key]

    def _next_step(self) -> Step | None:
        act = self.acts[0].run(cast(Store, _Port()))
        tokens: list[Any] = []
        try:
            for answer in (None, *self.answers):
                step = _sent(act, answer)
                tokens += step.args[1:] if step.name == "lease" else ()
        except StopIteration:
            return None
        finally:
            act.close()
        return Step(step.name, tuple(self.name if arg in tokens else arg for arg in step.args))


def hashable(value: Any) -> Hashable:
    """Return a hashable that is equal for equal values."""
    key: Hashable = value
    match value:
        case dict():
            key = frozenset((name, hashable(each)) for name, each in value.items())
        case list() | tuple():
            key = tuple(map(hashable, value))
        case set():
            key = frozenset(value)
        case Exception():
            key = repr(value)
    return key


def _sent(act: Coroutine[Any, Any, Any], answer: Any) -> Step:
    """Send an answer to an act; return its next step. Sleeps end at once."""
    asked = act.throw(answer) if isinstance(answer, Exception) else act.send(answer)
    while not isinstance(asked, Step):
        if isinstance(asked, asyncio.Future):
            asked.set_result(None)
        asked = act.send(None)
    return asked
