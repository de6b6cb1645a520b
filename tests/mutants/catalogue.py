"""All mutants: which promise each breaks, and which proof must find it, by which finding.

A proof must also find nothing where no mistake is made: the controls, one for each sort of proof.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.model.mutants import MUTANTS as OF_THE_PROTOCOL
from tests.mutants.promises import Promise
from tests.mutants.proofs import EveryOrder, FaultRun, OfWorkers, OneTest, Proof, Takeover
from tests.mutants.worker.mistakes import Mistake

_CUT_OFF = "mongod: the primary cut off from the others"
_ALL_KILLED = "mongod: kill -9 of all members"
_BACKLOG = "workers: a backlog of more than a batch takes"

_LEAVING = "tests/integration/worker/test_leaving.py::test_after_the_only_worker_stops_nothing_is_delivered_again"
_FAILING = "tests/faults/test_failing_folds.py::test_a_call_whose_fold_ends_its_process_is_broken_and_all_others_go_on"
_IDLE = (
    "tests/integration/worker/test_idle_calls.py::"
    "test_idle_calls_are_ended_until_their_real_end_comes_and_an_active_call_is_not"
)
_ODD = "tests/integration/worker/test_odd_content.py::test_unexpected_content_stops_nothing"
_REBUILD = "tests/integration/ops/test_rebuild.py::test_dropped_records_are_rebuilt_while_a_worker_runs"

_UNREAD = (
    "tests/integration/worker/test_unreadable_batches.py::"
    "test_a_batch_that_was_passed_over_is_listed_shown_and_not_replayed"
)
_WATERMARKS = (
    "tests/integration/worker/kafka/test_frozen_kafka.py::"
    "test_the_watermarks_advance_while_kafka_answers_and_no_further"
)
_TRANSACTIONS = "tests/integration/worker/test_transactions.py::test_after_transactions_no_lag_is_left_by_any_measure"
_NEW_TOPIC = (
    "tests/integration/changes/test_topic_changes.py::"
    "test_topics_made_anew_under_a_worker_are_read_from_their_beginning[longer]"
)
_LOSS = (
    "tests/integration/changes/test_topic_changes.py::test_records_removed_before_they_were_read_are_counted_and_logged"
)
_CLOCKS = (
    "tests/integration/changes/test_clocks.py::"
    "test_clocks_a_year_ahead_or_behind_end_and_delete_no_call_and_delay_no_record"
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake, and the proof that must find it; `finds` is a regular expression, which one finding has to match.

    A control has no promise: nothing may be found.
    """

    name: str
    promise: Promise | None
    proof: Proof
    finds: str = ""

    def verdict(self, findings: Sequence[str]) -> str | None:
        """Return why the findings are not those that must be, None if they are."""
        if self.promise is None:
            return f"found without a mistake: {findings}" if findings else None
        if not findings:
            return "survived"
        if not any(re.search(self.finds, finding) for finding in findings):
            return f"found something else: {findings}"
        return None


_OF_WORKERS: Mapping[Mistake, tuple[Promise, OfWorkers, str]] = {
    Mistake.ACKNOWLEDGES_FIRST: (Promise.DELIVERED, Takeover(), "wrong_records"),
    Mistake.COMMITS_TOO_EARLY: (Promise.DELIVERED, Takeover(), "wrong_records"),
    Mistake.SKIPS_UPDATES: (Promise.DELIVERED, Takeover(), "wrong_records"),
    Mistake.DROPS_ONE_IN_A_THOUSAND: (Promise.DELIVERED, FaultRun(kinds=(_BACKLOG,)), "lost"),
    Mistake.WRITES_TO_ONE_MEMBER: (Promise.DELIVERED, FaultRun(kinds=(_CUT_OFF,), seconds=20), "lost"),
    Mistake.COUNTS_COPIES: (Promise.COUNTED_ONCE, FaultRun(), "duplicated"),
    Mistake.DROPS_A_DEAD_LETTER: (Promise.DEAD_LETTERS, FaultRun(), "poison_missing"),
    Mistake.CUTS_DEAD_LETTERS: (Promise.DEAD_LETTERS, FaultRun(), "poison_changed"),
    Mistake.MISTAKES_THE_REASON: (Promise.DEAD_LETTERS, FaultRun(), "poison_changed"),
    Mistake.TAKES_AN_OUTAGE_FOR_INVALID_EVENTS: (Promise.DEAD_LETTERS, Takeover(), "wrong_dead_letters"),
    Mistake.SKIPS_AFTER_A_FAILURE: (Promise.OUTAGES, FaultRun(kinds=(_ALL_KILLED,), seconds=20), "lost"),
    Mistake.LEAVES_WITHOUT_COMMIT: (Promise.STOPPING, OneTest(_LEAVING), r"assert \{TopicParti"),
    Mistake.BREAKS_OTHERS_TOO: (Promise.BROKEN_ALONE, OneTest(_FAILING), "CallBroken"),
    Mistake.KEEPS_A_MESSAGE: (Promise.OPTED_OUT, FaultRun(), "private_left"),
    Mistake.LOGS_CONTENT: (Promise.NOT_QUOTED, FaultRun(), "private_shown"),
    Mistake.QUOTES_CONTENT: (Promise.NOT_QUOTED, FaultRun(), "private_shown"),
    Mistake.ENDS_NO_CALL: (Promise.IDLE, OneTest(_IDLE, patience=0.4), "all_closed.* is not true within"),
    Mistake.PASSES_OVER_IN_SILENCE: (Promise.UNREADABLE, OneTest(_UNREAD), "not enough values to unpack"),
    Mistake.SAYS_THAT_ALL_IS_WRITTEN: (Promise.WATERMARKS, OneTest(_WATERMARKS), r"assert \{"),
    Mistake.LEAVES_MARKS: (Promise.TRANSACTIONS, OneTest(_TRANSACTIONS), "is not true within"),
    Mistake.MISSES_A_NEW_TOPIC: (Promise.TOPICS, OneTest(_NEW_TOPIC, patience=0.5), "AssertionError"),
    Mistake.MISSES_A_LOSS: (Promise.REMOVED, OneTest(_LOSS), r"assert 0(\.0)? =="),
    Mistake.BELIEVES_PRODUCERS_CLOCKS: (Promise.CLOCKS, OneTest(_CLOCKS, patience=0.5), "AssertionError"),
    Mistake.VOUCHES_FOR_EVERYTHING: (
        Promise.READ_AS_VALIDATED,
        OneTest(_ODD, patience=0.4),
        "records are not right; .* differs in",
    ),
    Mistake.STORES_OTHER_BYTES: (Promise.REBUILT, OneTest(_REBUILD), r"assert \{"),
}
"""What each mistake of a worker breaks, the proof without the mistake, and the finding."""

_OTHER_PROMISES = {
    "never redacts its own batch": Promise.OPTED_OUT,
    "deletes the log before the tombstone": Promise.DELETED,
    "deletes only its own documents of a deleted call": Promise.DELETED,
    "marks deleted calls stale": Promise.DELETED,
}


def all_mutants() -> list[Mutant]:
    return [*_of_the_protocol(), *_of_workers()]


def controls() -> list[Mutant]:
    """Return each proof of a worker without a mistake; the fault runs are one, with all their faults."""
    proofs: dict[str, OfWorkers] = {str(replace(proof, mistake=None)): proof for _, proof, _ in _OF_WORKERS.values()}
    first: list[Proof] = [EveryOrder("deleted by two workers"), FaultRun(kinds=(_BACKLOG, _CUT_OFF, _ALL_KILLED))]
    others = [proof for proof in proofs.values() if not isinstance(proof, FaultRun)]
    return [Mutant(f"control {number}", None, proof) for number, proof in enumerate([*first, *others], 1)]


def _of_the_protocol() -> Iterator[Mutant]:
    for name, (_, case, why) in OF_THE_PROTOCOL.items():
        yield Mutant(name, _OTHER_PROMISES.get(name, Promise.FOLD_OF_THE_SET), EveryOrder(case, name), why)


def _of_workers() -> Iterator[Mutant]:
    for mistake, (promise, proof, finds) in _OF_WORKERS.items():
        yield Mutant(mistake.replace("_", " "), promise, replace(proof, mistake=mistake), finds)
