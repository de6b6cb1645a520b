"""The states of a call, and the only moves between them.

                      .------------ mark_stale -----------.
                      v                                   |
    (none) first_seen> live  mark_stale>  stale  lease> folding  store> live | final
                                            ^              |     break> broken
                                            '-- release ---'

    final | broken  tombstone> deleted  expire> (none)

`mark_stale` starts from any state but `deleted`: an event has arrived that the record may not have. `store`, `break`
and `release` work only while the state is `folding` with the token of the lease: if the call was marked stale
meanwhile, they do nothing and the call is folded again. Why that loses no event: docs/decisions/0003; why nothing that
was deleted comes back: docs/decisions/0011.
"""

from enum import StrEnum

MAX_ATTEMPTS = 3
"""Leases of a call that may end with neither a result nor an error; a fold that kills its process gets no more."""


class State(StrEnum):
    """Where a call stands between its events and its record."""

    LIVE = "live"
    """Events arrive; the record is folded from the log for each reader."""
    STALE = "stale"
    """An event arrived that the stored record may not have: to be folded when it is due."""
    FOLDING = "folding"
    """Leased: its document holds the token."""
    FINAL = "final"
    """The stored record is the record."""
    BROKEN = "broken"
    """It could not be folded because of an internal error; its events are kept."""
    DELETED = "deleted"
    """Past retention: a tombstone, by which late events are recognized."""


class Move(StrEnum):
    """What changes a state."""

    FIRST_SEEN = "first_seen"
    MARK_STALE = "mark_stale"
    LEASE = "lease"
    RELEASE = "release"
    STORE_LIVE = "store_live"
    STORE_FINAL = "store_final"
    BREAK = "break"
    TOMBSTONE = "tombstone"


MOVES: dict[Move, tuple[frozenset[State | None], State]] = {
    Move.FIRST_SEEN: (frozenset({None}), State.LIVE),
    Move.MARK_STALE: (frozenset({None, *State} - {State.DELETED}), State.STALE),
    # A lease that was not renewed in time can be taken over: then `folding` counts as `stale`.
    Move.LEASE: (frozenset({State.STALE, State.FOLDING}), State.FOLDING),
    Move.RELEASE: (frozenset({State.FOLDING}), State.STALE),
    Move.STORE_LIVE: (frozenset({State.FOLDING}), State.LIVE),
    Move.STORE_FINAL: (frozenset({State.FOLDING}), State.FINAL),
    Move.BREAK: (frozenset({State.FOLDING}), State.BROKEN),
    # Not a live call, which the idle-call timeout ends first, and none that is, or is about to be, folded.
    Move.TOMBSTONE: (frozenset({State.FINAL, State.BROKEN}), State.DELETED),
}
"""From which states a move starts, and where it ends; None is a call never seen."""

SETTLED = frozenset({State.FOLDING, State.FINAL, State.BROKEN, State.DELETED})
"""States in which a batch must mark the call stale: its record may have been, or is being, folded without the batch.

Marking a deleted call returns whether it is still deleted.
"""

WAITING = frozenset({State.STALE, State.FOLDING})
"""States of a call that has an event which its stored record may not have."""

OPEN = frozenset({State.LIVE, State.STALE, State.FOLDING})
"""States in which a call may still be folded or ended without another event."""
