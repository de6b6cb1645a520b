"""The core of what the worker promises: however flushes and folders interleave, the record is the fold of all events.

Each case is explored in every order that its actors' steps can take, with what may befall them: see
`tests/model/interleaving.py`. The last tests make the mistakes that the design avoids, and see them found. With
`--hypothesis-profile=thorough` one more actor of each case is killed, which takes minutes.
"""

from dataclasses import replace

import pytest
from hypothesis import settings

from tests.model.interleaving import Limits, WrongEnd
from tests.model.mutants import (
    AnyToken,
    Conditional,
    Counting,
    DocumentsAlone,
    LogFirst,
    LookFirst,
    MarkIfUnchanged,
    NoMark,
    NoRedaction,
    OffsetsAlone,
    OwnAlone,
    QuietOptOut,
    ReadFirst,
    SomebodyWasFirst,
    Waking,
)
from tests.model.protocol import CONTENT, DELETE, FOLD, ONCE, REBUILD, SWEEP, Case, Protocol, explored
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
    "folders overtaking each other": Case(
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
    "opting out between two that talk": Case(
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
    "an inferred end and a sign of life": Case(
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

WRONG, UNENDED, BROKEN = "the record is not that of all events", "has ended is live", "has ended is broken"
LEFT, UNDELETED = "content is left", "events are left of a call that was deleted"
MISTAKES = {
    "no mark": (Protocol(NoMark), "late", WRONG),
    "a mark on what is as it was seen": (Protocol(MarkIfUnchanged, Conditional), "late", WRONG),
    "a mark that thinks somebody was first": (Protocol(MarkIfUnchanged, SomebodyWasFirst), "from nothing", UNENDED),
    "a look before the insert": (Protocol(LookFirst), "late", WRONG),
    "a read before the claim": (Protocol(ReadFirst), "late", WRONG),
    "a result from whoever folded": (Protocol(memory=AnyToken), "late", WRONG),
    "an attempt counted though its fold worked": (Protocol(memory=Counting), "folders overtaking each other", BROKEN),
    "acknowledged before the mark": (Protocol(redelivers=False), "late", WRONG),
    "a stretch named by its first offset": (
        Protocol(memory=OffsetsAlone),
        "a batch of two workers, cut differently",
        UNENDED,
    ),
    "no redaction by the batch": (Protocol(NoRedaction), "content of a live call after opting out", LEFT),
    "no mark where a call opts out": (Protocol(QuietOptOut), "opting out", WRONG),
    "a log deleted before there is a tombstone": (Protocol(LogFirst), "late while deleted", BROKEN),
    "of the deleted only the own documents deleted": (
        Protocol(OwnAlone, DocumentsAlone),
        "late while deleted",
        UNDELETED,
    ),
    "a mark that wakes the deleted": (Protocol(memory=Waking), "late while deleted", BROKEN),
}


def _deeper(case: Case) -> Case:
    """Return the case with one death more, for a long night."""
    if settings.get_current_profile_name() != "thorough":
        return case
    return replace(case, limits=replace(case.limits, kills=case.limits.kills + 1))


@pytest.mark.parametrize("case", CASES)
async def test_in_every_order_the_record_is_the_fold_of_all_events(case: str) -> None:
    found = explored(_deeper(CASES[case]))

    assert found.states >= CASES[case].states, "fewer states than there were: something is explored no longer"


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_with_a_mistake_a_wrong_end_is_found(mistake: str) -> None:
    protocol, case, why = MISTAKES[mistake]

    with pytest.raises(WrongEnd, match=why):
        explored(CASES[case], protocol)
