"""The pages `/dead-letters` and `/dead-letters/{number}`."""

import asyncio
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.console.access.guard import is_refresh
from services.console.access.sessions import Session
from services.console.dead_letters.chart import kind_of
from services.console.dead_letters.filters import filter_of
from services.console.dead_letters.listing import listing
from services.console.dead_letters.newest import NewestDeadLetters
from services.console.dead_letters.rows import later_one, row_of
from services.console.dead_letters.shown import shown
from services.console.dead_letters.summary import LONGEST_CHOICE, MEANINGS
from services.console.rendering import Pages
from shared.contract.decode_event import InvalidEvent, decode
from shared.contract.topics import Topics
from shared.dead_letters import reader
from shared.dead_letters.dead_letter import DeadLetter
from shared.dead_letters.errors import AmbiguousNumber, InvalidNumber, NoSuchDeadLetter
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.process.logs import logger

_LONGEST_NUMBER = 40
_LONGEST_PAGE = 6

log = logger(__name__)


class DeadLetterPages:
    """The list, and single dead letters."""

    def __init__(
        self, kafka: KafkaAccess, topics: Topics, newest: NewestDeadLetters, pages: Pages, seconds: float
    ) -> None:
        """`seconds`: how long a page waits for Kafka."""
        self._kafka = kafka
        self._topics = topics
        self._newest = newest
        self._pages = pages
        self._seconds = seconds

    async def listing(self, request: Request, session: Session) -> Response:
        chosen = filter_of(request.query_params)
        listed, missing = None, None
        try:
            newest = await self._newest.get()
            listed = listing(newest, chosen, _page_of(request), session.account.role)
        except KafkaUnavailable as error:
            missing = f"The dead letters cannot be read: {error}."
        words: dict[str, Any] = {"meanings": MEANINGS, "kind_of": kind_of, "longest": LONGEST_CHOICE}
        return self._pages.page("dead_letters.html", session, listed=listed, missing=missing, filter=chosen, **words)

    async def one(self, request: Request, session: Session) -> Response:
        number = request.path_params["number"]
        if session.opens(f"dead letter {number}", again=is_refresh(request)):
            log.info("dead_letter_opened", account=session.account.name, number=number[:_LONGEST_NUMBER])
        found = await self._found(number)
        record = found.record
        now = decode(record.value, record.headers, arrival=record.timestamp)
        return self._pages.page(
            "dead_letter.html",
            session,
            found=found,
            dead_letter=row_of(found, self._topics),
            later=await self._later(found),
            refused_now=now if isinstance(now, InvalidEvent) else None,
            key=shown(record.key),
            value=shown(record.value),
            headers=[(name, shown(value)) for name, value in record.headers],
            meanings=MEANINGS,
        )

    async def _found(self, number: str) -> DeadLetter:
        try:
            async with asyncio.timeout(self._seconds), reader.opened(self._kafka, self._topics.dead_letter) as topic:
                return await topic.get(number)
        except (NoSuchDeadLetter, InvalidNumber, AmbiguousNumber):
            raise HTTPException(404, "There is no such dead letter, or Kafka has deleted it since.") from None
        except (KafkaUnavailable, TimeoutError):
            raise HTTPException(503, "Kafka does not answer. Load the page again when it does.") from None

    async def _later(self, found: DeadLetter) -> str | None:
        """Return what the replay of this one has become, if that is among the newest."""
        try:
            return later_one((await self._newest.get()).rows, found)
        except KafkaUnavailable:
            return None


def _page_of(request: Request) -> int:
    text = request.query_params.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_PAGE else 1
