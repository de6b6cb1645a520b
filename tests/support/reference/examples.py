"""Makers of worked examples for the reference implementation, which know nothing of the contract's models.

    problems(started(0), turn(30), ended(54, "completed"))

Times are seconds of the call; its first second is `BEGIN`.
"""

from typing import Any

from tests.support.reference.cost import Book
from tests.support.reference.details import reference_details
from tests.support.reference.fold import reference_fold

Json = dict[str, Any]

BEGIN = 1_773_136_800_000  # 2026-03-10T10:00:00Z
PBX, AGENT = "/pbx/7", "/agent/3"


def event(type_: str, second: int, source: str = PBX, **data: Any) -> Json:
    """Return an event at a second of the call; its `id` is its type and second."""
    return {
        "specversion": "1.0",
        "id": f"{type_}:{second}",
        "source": source,
        "type": type_,
        "subject": "call-1",
        "time": f"2026-03-10T{10 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}Z",
        "organizationid": "org-1",
        "data": data,
    }


def started(second: int, source: str = PBX, **data: Any) -> Json:
    return event("call.started", second, source, direction="inbound", **data)


def ended(second: int, reason: str, source: str = PBX, **data: Any) -> Json:
    return event("call.ended", second, source, disconnection_reason=reason, **data)


def turn(second: int, content: str = "Hello", **data: Any) -> Json:
    return event("transcript.turn", second, AGENT, role="user", content=content, **data)


def fold(*bodies: Json, book: Book | None = None) -> Json:
    return reference_fold(bodies, book or Book())


def details(*bodies: Json, book: Book | None = None) -> Json:
    return reference_details(bodies, book or Book())


def problems(*bodies: Json, book: Book | None = None) -> list[tuple[str, str | None]]:
    found = details(*bodies, book=book)["problems"]
    return [(problem["kind"], problem["event"] and problem["event"]["id"]) for problem in found]


def standings(*bodies: Json) -> list[str]:
    return [end["standing"] for end in details(*bodies)["ends"]]
