"""The short way to a call: past the framework, whose own way to a route takes longer than all the rest of an answer."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from services.api.errors import Refused
from services.api.routes.calls import PATH, Calls

_PREFIX, _, _ = PATH.partition("{")
_METHODS = frozenset({"GET", "HEAD"})


def leads_to_call(scope: Scope) -> bool:
    """Tell whether a request asks for a call; any other request for its path is the framework's to answer."""
    if scope["type"] != "http" or scope["method"] not in _METHODS or scope.get("root_path"):
        return False
    path: str = scope["path"]
    return path.startswith(_PREFIX) and len(path) > len(_PREFIX) and "/" not in path[len(_PREFIX) :]


class Direct:
    """An ASGI application that answers the requests that `leads_to_call` tells of."""

    path = PATH
    """What they count as: as a route of the framework says it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["route"] = self
        scope["path_params"] = {"callId": scope["path"][len(_PREFIX) :]}
        try:
            response = await self._calls.get(Request(scope, receive, send))
        except Refused as refused:
            response = refused.response()
        await response(scope, receive, send)
