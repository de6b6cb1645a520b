"""The pages `/dead-letters/replay`: what a replay would do, and what it has done."""

import asyncio
from collections.abc import Iterator

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.access.sessions import Session
from services.console.dead_letters.filters import filter_of
from services.console.dead_letters.newest import NewestDeadLetters
from services.console.dead_letters.replays import MOST_READ, Action, Replays, total
from services.console.outages import away
from services.console.rendering import Pages
from shared.dead_letters.errors import AmbiguousNumber, InvalidNumber, NoSuchDeadLetter, TooManyDeadLetters
from shared.dead_letters.replay import UNLESS_AGAIN
from shared.dead_letters.selection import Selection
from shared.kafka.errors import KafkaUnavailable
from shared.store.ports import StoreUnavailable

_WAIT_SECONDS = 1.0
"""Most replays are done by then, so that their page does not have to be loaded again."""

_LONGEST_ERROR = 200


class ReplayPages:
    """Previews of replays, and replays."""

    def __init__(self, replays: Replays, newest: NewestDeadLetters, pages: Pages) -> None:
        self._replays = replays
        self._newest = newest
        self._pages = pages

    async def preview(self, request: Request, session: Session) -> Response:
        """Look at what would happen, and go to the page that shows it: loading that again does nothing."""
        form = await request.form()
        try:
            selection = await self._selection(form)
            action = await self._replays.preview(session.account.name, selection, again="again" in form)
        except TooManyDeadLetters as error:
            raise HTTPException(400, _too_many(error)) from None
        except (NoSuchDeadLetter, InvalidNumber, AmbiguousNumber) as error:
            raise HTTPException(404, f"Nothing was sent: {str(error)[:_LONGEST_ERROR]}.") from None
        except (KafkaUnavailable, TimeoutError):
            raise HTTPException(503, "Kafka does not answer in time. Nothing was sent.") from None
        except StoreUnavailable as error:
            raise HTTPException(503, f"{away(error)} Nothing was sent.") from None
        return RedirectResponse(_address(action), 303)

    async def confirm(self, request: Request, session: Session) -> Response:
        action = self._action(request, session)
        self._replays.confirm(action)
        return RedirectResponse(_address(action), 303)

    async def replay(self, request: Request, session: Session) -> Response:
        """Show a replay: what it would do, how far it is, or what it has done."""
        action = self._action(request, session)
        if action.task is not None:
            await asyncio.wait([action.task], timeout=_WAIT_SECONDS)
        left_out, refused = total(action.tally.skipped), total(action.tally.refused)
        return self._pages.page(
            "replay.html",
            session,
            action=action,
            tally=action.tally,
            left_out=left_out,
            refused=refused,
            unless_again=UNLESS_AGAIN,
            limits=[*_limits(action.selection)],
        )

    async def _selection(self, form: FormData) -> Selection:
        numbers = tuple(dict.fromkeys(each for each in form.getlist("number") if isinstance(each, str)))
        if "all" not in form:
            if not numbers:
                raise HTTPException(400, "Select the dead letters to be replayed first.")
            return Selection(numbers=numbers)
        chosen = filter_of(form)
        rows = [row for row in (await self._newest.get()).rows if chosen.includes(row)]
        if not rows:
            raise HTTPException(400, "There is no dead letter of this filter.")
        return chosen.selection(min(row.moment for row in rows))

    def _action(self, request: Request, session: Session) -> Action:
        action = self._replays.find(request.path_params["action"], session.account.name)
        if action is None:
            raise HTTPException(404, "This replay is not known, or no longer. Select the dead letters again.")
        return action


def _address(action: Action) -> str:
    return f"/dead-letters/replay/{action.id}"


def _limits(selection: Selection) -> Iterator[tuple[str, str | None]]:
    """Yield what a selection limits, and to what."""
    fields = (("reason", selection.reasons), ("organization", selection.organizations), ("source", selection.sources))
    for name, values in fields:
        for value in values:
            yield name, value


def _too_many(error: TooManyDeadLetters) -> str:
    return (
        f"{error.total:,} dead letters came since the oldest of these, and a replay here reads at most {MOST_READ:,}. "
        "Use `callfold dead-letters replay`."
    )
