"""How the bodies of a call become events, implemented a second time: for clarity, and without any code of the contract.

`parsing.py` reads JSON and envelope, `fields.py` the fields of each type, and `redaction.py` has what stays of a call
that opted out. Here bodies are compared, events are put in order, and a clock is applied to a body that arrives.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.support.reference.fields import OPT_OUT, opt_out_flag, read_data
from tests.support.reference.order import canonical, ordering_key, rfc3339, unix_ms
from tests.support.reference.parsing import Envelope, Json, Problems, read_envelope
from tests.support.reference.redaction import redacted, written
from tests.support.reference.values import HOUR, InvalidEvent

PROBLEM_KINDS = (
    "field_unreadable",
    "unknown_field",
    "time_unreadable",
    "time_ahead",
    "start_left_out",
    "surrogate_replaced",
    "key_left_out",
    "number_as_text",
    "word_times_unreadable",
    "conflict",
    "end_overruled",
    "end_undone",
    "end_before_start",
    "talk_after_end",
    "duration_disagrees",
    "unknown_direction",
    "unrated_product",
    "usage_ignored",
    "currency_without_rate",
    "turn_not_final",
)


@dataclass(frozen=True)
class ReadCall:
    """The distinct events of a call in order, and the problems of reading them and of conflicts.

    An event is `type`, `source`, `id`, `time` (Unix milliseconds), `sequence` (`""` for none), `organization`, `call`
    and `data`: what was read of it, with times as integers and amounts as fractions. A problem is `kind`, `event`
    (`source`, `id`, `type`) and `field`; they are in the order of their events, then of kinds, then of fields.
    """

    events: list[Json]
    opted_out: bool
    event_count: int
    conflict_count: int
    problems: list[Json]


@dataclass(frozen=True)
class _Body:
    """A valid body: the event, its problems, and what bodies are compared by, with and without the time."""

    event: Json
    problems: Problems
    form: bytes
    form_but_for_time: bytes
    clock_was_wrong: bool


def read_call(bodies: Iterable[bytes | Json], *, opted_out: bool = False) -> ReadCall:
    """Return the events of a call whose bodies are as the log has them; those that are no valid event are left out.

    With `opted_out` any of them may be redacted already.
    """
    valid = [read for body in bodies if (read := _valid(body, perhaps_redacted=opted_out)) is not None]
    opted_out = opted_out or any(opt_out_flag(envelope.data) for envelope, _, _ in valid)
    identities: dict[tuple[str, str], list[_Body]] = {}
    for envelope, data, problems in valid:
        body = _redacted_body(envelope, data) if opted_out else _body(envelope, data, problems)
        identities.setdefault((envelope.source, envelope.id), []).append(body)
    versions = sorted(map(_versions, identities.values()), key=lambda versions: ordering_key(versions[0][0].event))
    return ReadCall(
        events=[effective[0].event for effective, *_ in versions],
        opted_out=opted_out,
        event_count=len(versions),
        conflict_count=sum(len(losing) for _, *losing in versions),
        problems=[problem for effective, *losing in versions for problem in _problems(effective, losing)],
    )


def _valid(body: bytes | Json, *, perhaps_redacted: bool) -> tuple[Envelope, Any, Problems] | None:
    try:
        envelope = read_envelope(_as_bytes(body))
        time = unix_ms(envelope.time or "")
        if time is None:
            return None
        return envelope, *read_data(envelope.type, time, envelope.data, perhaps_redacted=perhaps_redacted)
    except InvalidEvent:
        return None


def _as_bytes(body: bytes | Json) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def _body(envelope: Envelope, data: Any, problems: Problems) -> _Body:
    return _compared(envelope, data, envelope.data, envelope.problems | problems)


def _redacted_body(envelope: Envelope, data: Any) -> _Body:
    """Return the body after redaction, which leaves no value that has a problem."""
    kept = redacted(envelope.type, data)
    return _compared(envelope, kept, written(kept, opt_out_flag(envelope.data)), frozenset())


def _compared(envelope: Envelope, data: Any, as_it_came: Any, problems: Problems) -> _Body:
    """Return the body with the data that was read, to be compared by the data as it came (or as redaction left it)."""
    time = unix_ms(envelope.time or "") or 0
    event = {
        "type": envelope.type,
        "source": envelope.source,
        "id": envelope.id,
        "time": time,
        "sequence": envelope.sequence,
        "organization": envelope.organization,
        "call": envelope.subject,
        "data": data,
    }
    return _Body(
        event=event,
        problems=problems | _clock_problems(envelope),
        form=canonical(event, as_it_came, time),
        form_but_for_time=canonical(event, as_it_came, None),
        clock_was_wrong=envelope.producer_time is not None,
    )


def _clock_problems(envelope: Envelope) -> Problems:
    if envelope.producer_time is None:
        return frozenset()
    return frozenset({("time_unreadable" if unix_ms(envelope.producer_time) is None else "time_ahead", None)})


def _versions(bodies: list[_Body]) -> list[list[_Body]]:
    """Return the distinct versions of the bodies of one identity, the effective one first, each with its copies.

    Bodies that differ in time alone, one of them with a wrong clock, are deliveries of one event: the earliest counts.
    """
    wrong_clocks = {body.form_but_for_time for body in bodies if body.clock_was_wrong}
    versions: dict[bytes, list[_Body]] = {}
    for body in sorted(bodies, key=lambda body: int(body.event["time"])):
        is_delivery = body.form_but_for_time in wrong_clocks
        versions.setdefault(body.form_but_for_time if is_delivery else body.form, []).append(body)
    copies = [[body for body in version if body.form == version[0].form] for version in versions.values()]
    return sorted(copies, key=lambda version: version[0].form)


def _problems(effective: list[_Body], losing: list[list[_Body]]) -> list[Json]:
    event = effective[0].event
    found = {(kind, field or "", event["type"]) for body in effective for kind, field in body.problems}
    conflicts = [("conflict", "", version[0].event["type"]) for version in losing]
    in_order = sorted([*found, *conflicts], key=lambda problem: (PROBLEM_KINDS.index(problem[0]), *problem[1:]))
    return [
        {"kind": kind, "event": {"source": event["source"], "id": event["id"], "type": of_type}, "field": field or None}
        for kind, field, of_type in in_order
    ]


def as_logged(body: Json, arrival: int) -> Json | None:
    """Return what enters the log for a body that arrives at `arrival` (Unix milliseconds), None if nothing does.

    For a refused event that opts out this is the event that keeps its opt-out.
    """
    sent = {name: value for name, value in body.items() if name != "producertime"}
    try:
        envelope = read_envelope(_as_bytes(sent))
    except InvalidEvent:
        return None
    time = unix_ms(envelope.time or "")
    if time is None or time > arrival + HOUR:
        sent |= {"time": rfc3339(arrival), "producertime": envelope.time or ""}
        time = arrival
    try:
        read_data(envelope.type, time, envelope.data)
    except InvalidEvent:
        return _opt_out_alone(envelope, sent) if opt_out_flag(envelope.data) else None
    if envelope.lost_digits:
        sent = {name: value for name, value in sent.items() if name != "data_base64"} | {"data": envelope.data_to_log}
    return sent


def _opt_out_alone(refused: Envelope, sent: Json) -> Json:
    name = hashlib.sha256(f"{refused.source}\0{refused.id}".encode()).hexdigest()
    event = {
        "specversion": "1.0",
        "id": name,
        "source": "/callfold/opt-out",
        "type": "call.updated",
        "subject": refused.subject,
        "time": sent["time"],
        "organizationid": refused.organization,
        "data": {OPT_OUT: True},
    }
    return event | ({"producertime": sent["producertime"]} if "producertime" in sent else {})
