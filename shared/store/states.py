"""The states of a call, and the only moves between them.

                    .----------- mark -----------.
                    v                            |
    (none) sight> live  mark>  stale  claim> folding  replace> live | final
                                 ^              |  break>      broken
                                 '-- release ---'

    final | broken  bury>  deleted  forget> (none)

`mark` asks for no state but one: whatever the call has become meanwhile, an event has arrived that the record may not
know; only what is deleted stays deleted. `replace`, `break` and `release` hold only while the state is `folding` with
the token of the claim: if a mark came in between, they do nothing and the call is folded again. Why that loses no
event: docs/decisions/0003; why nothing comes back that was deleted: docs/decisions/0011.
"""

from enum import StrEnum

MAX_ATTEMPTS = 3
"""Claims of a call that may end with neither a result nor an error: a fold that kills its process gets no more."""


class State(StrEnum):
    """Where a call stands between its events and its record."""

    LIVE = "live"
    """Events arrive; whoever asks gets the record folded from the log."""
    STALE = "stale"
    """Something arrived that the stored record may not know: to be folded when it is ripe."""
    FOLDING = "folding"
    """Claimed by a folder, whose token it holds."""
    FINAL = "final"
    """The stored record is the record."""
    BROKEN = "broken"
    """It could not be folded, by a mistake of ours; its events are kept."""
    DELETED = "deleted"
    """Kept for as long as was asked for: a tombstone, by which late events are known as such."""


class Move(StrEnum):
    """What changes a state."""

    SIGHT = "sight"
    MARK = "mark"
    CLAIM = "claim"
    RELEASE = "release"
    STORE_LIVE = "store_live"
    STORE_FINAL = "store_final"
    BREAK = "break"
    BURY = "bury"


MOVES: dict[Move, tuple[frozenset[State | None], State]] = {
    Move.SIGHT: (frozenset({None}), State.LIVE),
    Move.MARK: (frozenset({None, *State} - {State.DELETED}), State.STALE),
    # A claim that was not renewed in time may be taken over: then `folding` counts as `stale`.
    Move.CLAIM: (frozenset({State.STALE, State.FOLDING}), State.FOLDING),
    Move.RELEASE: (frozenset({State.FOLDING}), State.STALE),
    Move.STORE_LIVE: (frozenset({State.FOLDING}), State.LIVE),
    Move.STORE_FINAL: (frozenset({State.FOLDING}), State.FINAL),
    Move.BREAK: (frozenset({State.FOLDING}), State.BROKEN),
    # Not a live one, which the closer ends first, and none that a folder has, or is about to have.
    Move.BURY: (frozenset({State.FINAL, State.BROKEN}), State.DELETED),
}
"""From which states a move is made, and where it leads; None is a call never seen."""

SETTLED = frozenset({State.FOLDING, State.FINAL, State.BROKEN, State.DELETED})
"""What a batch must mark when it finds it: the record may have been, or is being, folded without the batch.

Of one that is deleted it is the mark that tells whether it still is.
"""


def is_open(state: State) -> bool:
    """Tell whether the folder may still have to do with a call in this state by itself."""
    return state in {State.LIVE, State.STALE, State.FOLDING}
