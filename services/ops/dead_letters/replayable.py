"""PURE: which dead letter can be sent back, as which record."""

from typing import Any

from services.ops.dead_letters.dead_letter import DeadLetter
from shared.contract.dead_letter_headers import MOST_REPLAYS, OMITTED, REPLAYED_FROM, REPLAYS, readable
from shared.contract.rejection import Reason
from shared.contract.topics import Topics
from shared.kafka.producer import OutgoingRecord


def obstacle(record: Any, letter: DeadLetter, topics: Topics) -> str | None:
    """Return why a dead letter cannot be sent back; a header leads nowhere but to the topics that carry events."""
    if letter.topic is None:
        return "it does not say which topic it came from"
    if letter.topic not in topics.inputs:
        return f"the topic that it names is neither {' nor '.join(topics.inputs)}"
    if record.value is None and (letter.reason == Reason.TOO_LARGE or OMITTED in dict(record.headers)):
        return "it was kept without its value, which was too large"
    if record.value is None and record.key is None:
        return "it has neither a key nor a value"
    return None


def sent_back(record: Any, letter: DeadLetter) -> OutgoingRecord:
    """Return the record as it came, and what says how often it has been sent back, and from which dead letter."""
    replays = min(letter.replays + 1, MOST_REPLAYS)
    marks = ((REPLAYS, b"%d" % replays), (REPLAYED_FROM, b"%d:%d" % (record.partition, record.offset)))
    return OutgoingRecord(letter.topic or "", record.key, record.value, (*readable(record.headers), *marks))
