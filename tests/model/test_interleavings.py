"""The invariant: however batches and folds interleave, the record is the fold of all events.

Each case is explored in every order of its actors' steps, with failures: see `tests/model/interleaving.py`. The last
tests run mutants, whose mistakes must be found. With `--hypothesis-profile=thorough` one more actor of each case is
killed, which takes minutes.
"""

from dataclasses import replace

import pytest
from hypothesis import settings

from tests.model.cases import CASES
from tests.model.interleaving import WrongEnd
from tests.model.mutants import MUTANTS
from tests.model.protocol import Case, explored


def _deeper(case: Case) -> Case:
    """Return the case with one more kill in the thorough profile."""
    if settings.get_current_profile_name() != "thorough":
        return case
    return replace(case, limits=replace(case.limits, kills=case.limits.kills + 1))


@pytest.mark.parametrize("case", CASES)
async def test_in_every_order_the_record_is_the_fold_of_all_events(case: str) -> None:
    found = explored(_deeper(CASES[case]))

    assert found.states >= CASES[case].states, "fewer states than before: something is no longer explored"


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_the_wrong_end_of_a_mutant_is_found(mutant: str) -> None:
    protocol, case, why = MUTANTS[mutant]

    with pytest.raises(WrongEnd, match=why):
        explored(CASES[case], protocol)
