"""PURE: which dead letters can be replayed, and as which records."""

from shared.contract.dead_letter_headers import MOST_REPLAYS, OMITTED, REPLAYED_FROM, REPLAYS, readable
from shared.contract.rejection import OF_BATCHES, Reason
from shared.contract.topics import Topics
from shared.dead_letters.dead_letter import DeadLetter
from shared.kafka.producer import OutgoingRecord


def why_not_replayable(letter: DeadLetter, topics: Topics) -> str | None:
    """Return why a dead letter cannot be replayed, None if it can; a header may name any topic, also a foreign one."""
    record = letter.record
    if letter.topic is None:
        return "it does not name the topic that it came from"
    if letter.topic not in topics.inputs:
        return f"the topic that it names is neither {' nor '.join(topics.inputs)}"
    if letter.reason in OF_BATCHES:
        return "its batch was not read: its bytes are in its topic alone, if anywhere"
    if record.value is None and (letter.reason == Reason.TOO_LARGE or OMITTED in dict(record.headers)):
        return "its value was too large to be kept"
    if record.value is None and record.key is None:
        return "it has neither a key nor a value"
    return None


def replayed(letter: DeadLetter) -> OutgoingRecord:
    """Return the input record, with headers that count the replays and name this dead letter."""
    record = letter.record
    replays = min(letter.replays + 1, MOST_REPLAYS)
    marks = ((REPLAYS, b"%d" % replays), (REPLAYED_FROM, b"%d:%d" % (record.partition, record.offset)))
    return OutgoingRecord(letter.topic or "", record.key, record.value, (*readable(record.headers), *marks))
