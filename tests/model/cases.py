"""What happens concurrently in each case that is explored, and how many states the search must find."""

from tests.model.interleaving import Limits
from tests.model.protocol import CONTENT, DELETE, FOLD, ONCE, REBUILD, SWEEP, Case
from tests.support.events.makers import STARTED, event

BEGUN, ENDED = event("call.started"), event("call.ended", at=STARTED + 9_000)
SAID, ANSWERED = event("transcript.turn", content=CONTENT), event("transcript.turn", content=f"not {CONTENT}")
NOTED, TYPED = event("call.note"), event("call.dtmf", at=STARTED + 5_000)
OPT_OUT = event("call.updated", opt_out_sensitive_data_storage=True)
TIMED_OUT = event("call.ended", at=STARTED + 1_000, inferred=True, disconnection_reason="inactivity")
GROWN = [BEGUN, *(event("call.note") for _ in range(50))]

UNDISTURBED, TAKEN_OVER, LOST = Limits(), Limits(passes=2), Limits(passes=1, losses=1)
CASES = {
    "lifecycle": Case([BEGUN], [[(SAID,), (ANSWERED,)], [(NOTED,), (ENDED,)], [FOLD], [FOLD]], ONCE, states=10_000),
    "from nothing": Case([], [[(BEGUN,), (ENDED,)], [(SAID,)], [FOLD], [FOLD]], ONCE, rested=False, states=3_100),
    "late": Case([BEGUN, ENDED], [[(SAID,)], [(NOTED,)], [FOLD, FOLD], [FOLD, FOLD]], ONCE, states=11_000),
    "late while the end is folded": Case(
        [BEGUN, ENDED], [[(SAID,)], [(NOTED,)], [FOLD], [FOLD]], ONCE, rested=False, states=14_000
    ),
    "late and answers lost": Case(
        [BEGUN, ENDED], [[(SAID,)], [(NOTED,)], [FOLD, FOLD], [FOLD, FOLD]], LOST, states=10_000
    ),
    "three late": Case([BEGUN, ENDED], [[(SAID,)], [(NOTED,)], [(TYPED,)], [FOLD], [FOLD]], ONCE, states=84_000),
    "folds overtaking each other": Case(
        [BEGUN, ENDED], [[(SAID,)], [(NOTED,)], [(TYPED,)], [FOLD, FOLD], [FOLD, FOLD]], TAKEN_OVER, states=34_000
    ),
    "live results": Case(GROWN, [[(SAID,)], [(ENDED,)], [FOLD, FOLD], [FOLD]], ONCE, rested=False, states=81_000),
    "three and live results": Case(
        GROWN, [[(SAID,)], [(TYPED,)], [(ENDED,)], [FOLD], [FOLD]], TAKEN_OVER, rested=False, states=34_000
    ),
    "opting out": Case([BEGUN, ENDED], [[(SAID,)], [(OPT_OUT,)], [FOLD], [FOLD]], ONCE, states=100_000),
    "opting out and answers lost": Case([BEGUN, ENDED], [[(SAID,)], [(OPT_OUT,)], [FOLD], [FOLD]], LOST, states=62_000),
    "opting out before the end": Case(
        [BEGUN], [[(SAID,), (ANSWERED,)], [(OPT_OUT,), (ENDED,)], [FOLD]], ONCE, states=74_000
    ),
    "opting out between two turns": Case(
        [BEGUN, ENDED], [[(SAID,)], [(ANSWERED,)], [(OPT_OUT,)], [FOLD]], ONCE, states=51_000
    ),
    "content after opting out": Case(
        [OPT_OUT, ENDED], [[(SAID,)], [(ANSWERED,)], [FOLD], [FOLD]], ONCE, states=120_000
    ),
    "content of a live call after opting out": Case(
        [BEGUN, OPT_OUT], [[(SAID,)], [(ANSWERED, TYPED)], [FOLD]], UNDISTURBED, states=35
    ),
    "swept": Case([BEGUN, OPT_OUT], [[(SAID, TYPED)], [(ANSWERED,)], [FOLD], [SWEEP]], ONCE, states=45_000),
    "reopened after an inferred end": Case(
        [BEGUN, TIMED_OUT], [[(TYPED,)], [(ENDED,)], [FOLD, FOLD], [FOLD]], ONCE, states=15_000
    ),
    "an inferred end and later activity": Case(
        [BEGUN], [[(TIMED_OUT,)], [(SAID, TYPED)], [FOLD, FOLD], [FOLD]], ONCE, states=22_000
    ),
    "two topics in a batch": Case([BEGUN], [[(SAID, ENDED)], [(TYPED, ANSWERED)], [FOLD], [FOLD]], ONCE, states=12_000),
    "a batch of two workers, cut differently": Case(
        [BEGUN, OPT_OUT], [[(SAID, TYPED)], [(SAID,), (TYPED, ENDED)], [FOLD]], ONCE, states=12_000
    ),
    "rebuilt": Case([BEGUN, ENDED], [[(SAID,)], [(NOTED,)], [FOLD], [REBUILD]], ONCE, states=47_000),
    "rebuilt while opting out": Case(
        [BEGUN, ENDED], [[(SAID,)], [(OPT_OUT,)], [FOLD], [REBUILD]], TAKEN_OVER, states=87_000
    ),
    "late while deleted": Case([BEGUN, ENDED], [[(SAID, ANSWERED)], [(NOTED,)], [FOLD], [DELETE]], ONCE, states=5_600),
    "deleted by two workers": Case([BEGUN, ENDED], [[(SAID,)], [FOLD], [DELETE], [DELETE]], ONCE, states=463),
    "opting out while deleted": Case([BEGUN, ENDED], [[(SAID,)], [(OPT_OUT,)], [FOLD], [DELETE]], ONCE, states=5_500),
}
