"""Verdicts and causes in sentences, for a person who is paged (docs/operations.md, Lag)."""

from collections.abc import Mapping

from shared.lag.models import Cause, Verdict

TITLES: Mapping[str, str] = {
    Verdict.OK: "Nothing is late",
    Verdict.CATCHING_UP: "Late, and catching up",
    Verdict.FALLING_BEHIND: "Late, and not catching up",
    Verdict.STALLED: "Late: nothing is committed",
    Verdict.NO_OWNER: "Late: partitions have no worker",
    Verdict.UNKNOWN: "Not known",
}

MEANINGS: Mapping[str, str] = {
    Verdict.OK: "The oldest event that waits is a few seconds old at most, and the workers commit.",
    Verdict.CATCHING_UP: "Events are late, and the backlog shrinks: no action is needed.",
    Verdict.FALLING_BEHIND: "Events are late, and the backlog does not shrink.",
    Verdict.STALLED: "Events wait, and their owner commits none of them.",
    Verdict.NO_OWNER: "No worker has read them for 12 seconds or longer.",
    Verdict.UNKNOWN: "Kafka reports too little, or the readings are too few.",
}

CAUSES: Mapping[str, str] = {
    Cause.KAFKA_UNAVAILABLE: "A broker does not answer. Check Kafka; nothing is lost meanwhile.",
    Cause.MONGODB_UNAVAILABLE: "MongoDB does not answer. The workers wait for it; nothing is lost meanwhile.",
    Cause.NO_WORKER: "The group has no member: no worker runs, or none has reached Kafka. Start the workers.",
    Cause.REBALANCE: "The group rebalances again and again: a worker comes and goes, or hangs.",
    Cause.MONGODB_SLOW: "A small write to MongoDB takes half a second or longer.",
    Cause.WORKER_FROZEN: "A worker owns it and commits nothing, though Kafka and MongoDB are well: restart it.",
    Cause.BACKLOG: "The workers commit; more arrives than they write, or much is left of an earlier time. Add workers.",
    Cause.UNKNOWN: "None of the known causes can be shown.",
}
"""NONE has no sentence."""

RUNBOOK = "docs/runbooks/causes.md"
