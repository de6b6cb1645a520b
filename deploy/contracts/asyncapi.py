"""The AsyncAPI 3.0 document of the topics."""

from typing import Any

from deploy.contracts.examples import EXAMPLES, event
from deploy.contracts.schemas import NOT_IN_SCHEMA
from shared.contract.dead_letter_headers import LAST_OFFSET, OMITTED
from shared.contract.payloads import TELEPHONY, TRANSCRIPTION, TYPES
from shared.contract.rejection import Reason
from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES, INPUT_MAX_MESSAGE_BYTES, Topics

Document = dict[str, Any]

VERSION = "2.0.0"
"""Version of the contract. The first number changes when a valid event becomes invalid."""

CONTENT_TYPE = "application/cloudevents+json"

_BINDING = "0.5.0"
_TOPICS = Topics()
_ABOUT = f"""\
Callfold folds the events of voice calls into call records.

Events are CloudEvents 1.0, in structured mode (as here) or in binary mode (headers `ce_*`, the value is `data`). Use \
the call's id (UTF-8) as the key, the murmur2 partitioner, `acks=all` and idempotence. An event with another key, or \
on the other topic, counts the same. The order of events does not matter. Events with the same `source` and `id` \
count once. An event of any other type appears on the call's timeline. Unknown fields are ignored; null and an empty \
text are absent.

{NOT_IN_SCHEMA}
"""
_DEAD_LETTER = """\
An invalid record with its original key and value. The headers below follow the record's own: where a name occurs \
twice, the last one counts. A batch that is too large when it is decompressed, or that cannot be read, is one dead \
letter without key and value, with the offsets of its first and last record."""


def document() -> Document:
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Callfold", "version": VERSION, "description": _ABOUT},
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "telephony": _channel(_TOPICS.telephony, "Lifecycle, transfers, DTMF, recordings, costs.", TELEPHONY),
            "transcription": _channel(_TOPICS.transcription, "Turns, tools, latency, usage, analysis.", TRANSCRIPTION),
            "deadLetter": _dead_letter_channel(),
        },
        "operations": {
            "foldTelephony": _operation("receive", "telephony"),
            "foldTranscription": _operation("receive", "transcription"),
            "reject": _operation("send", "deadLetter"),
        },
        "components": {"messages": {kind: _message(kind) for kind in TYPES} | {"deadLetter": _dead_letter()}},
    }


def _channel(topic: str, summary: str, types: dict[str, type]) -> Document:
    return {
        "address": topic,
        "summary": summary,
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in types},
        "bindings": _topic(topic, INPUT_MAX_MESSAGE_BYTES),
    }


def _dead_letter_channel() -> Document:
    return {
        "address": _TOPICS.dead_letter,
        "summary": "Every invalid record, with the reason.",
        "messages": {"deadLetter": {"$ref": "#/components/messages/deadLetter"}},
        "bindings": _topic(_TOPICS.dead_letter, DEAD_LETTER_MAX_MESSAGE_BYTES),
    }


def _topic(topic: str, max_message_bytes: int) -> Document:
    return {
        "kafka": {
            "topic": topic,
            "topicConfiguration": {"max.message.bytes": max_message_bytes},
            "bindingVersion": _BINDING,
        }
    }


def _operation(action: str, channel: str) -> Document:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _message(kind: str) -> Document:
    header = {"content-type": CONTENT_TYPE}
    return {
        "name": kind,
        "summary": EXAMPLES[kind].summary,
        "contentType": CONTENT_TYPE,
        "headers": {"type": "object", "properties": {"content-type": {"type": "string", "const": CONTENT_TYPE}}},
        "payload": {"$ref": f"./events/{kind}.json"},
        "bindings": _key("The call's id: the event's `subject`"),
        "examples": [{"headers": header, "payload": event(kind)}],
    }


def _dead_letter() -> Document:
    headers = {
        "reason": {"type": "string", "enum": [reason.value for reason in Reason]},
        "detail": {"type": "string", "description": "What is wrong, in a sentence for the sender"},
        "topic": {"type": "string", "description": "The topic of the record"},
        "partition": {"type": "string", "pattern": "^[0-9]+$"},
        "offset": {"type": "string", "pattern": "^[0-9]+$"},
        "time": {"type": "string", "format": "date-time", "description": "When the record was rejected"},
    }
    of_batches = {
        LAST_OFFSET: {"type": "string", "pattern": "^[0-9]+$", "description": "Of a batch; `offset` is its first one"},
        OMITTED: {"type": "string", "pattern": "^[0-9]+$", "description": "How many bytes were left out"},
    }
    return {
        "name": "deadLetter",
        "summary": "An invalid record.",
        "description": _DEAD_LETTER,
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": headers | of_batches, "required": list(headers)},
        "payload": {"type": "string", "format": "binary"},
        "bindings": _key("The original record's key"),
        "examples": [_dead_letter_example()],
    }


def _dead_letter_example() -> Document:
    headers = {
        "reason": Reason.MISSING.value,
        "detail": "`data.digits` is missing",
        "topic": _TOPICS.telephony,
        "partition": "7",
        "offset": "1042",
        "time": "2023-12-20T18:41:10.300Z",
    }
    return {"headers": headers, "payload": '{"specversion": "1.0", "type": "call.dtmf", "data": {}}'}


def _key(description: str) -> Document:
    return {"kafka": {"key": {"type": "string", "description": description}, "bindingVersion": _BINDING}}
