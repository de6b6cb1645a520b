"""The application: routes, and what each is given. Nothing connects here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.api import openapi
from services.api.auth import Authentication
from services.api.errors import Refused, answer_refused, answer_unrouted
from services.api.fast_path import Direct, leads_to_call
from services.api.middleware import Edge
from services.api.routes import docs
from services.api.routes.calls import PATH, Calls
from services.api.routes.health import Health
from services.api.routes.large_calls import LargeReads
from services.api.settings import ApiSettings
from services.api.store_health import Availability
from shared.calls.cached_reads import SmallReads
from shared.calls.large_calls import LargeCalls
from shared.fold.prices import PriceBook
from shared.process.logs import logger
from shared.store.api_keys import ApiKeys
from shared.store.ports import Store

log = logger(__name__)


class Api(FastAPI):
    """FastAPI, whose contract is completed: handlers look at headers themselves, which spares each request a lot.

    Those for a call spare themselves FastAPI: it has the route for the contract, and for whoever asks otherwise.
    """

    def __init__(self, calls: Calls, **options: Any) -> None:
        super().__init__(**options)
        self._call = Edge(Direct(calls))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await (self._call if leads_to_call(scope) else super().__call__)(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Return the contract."""
        return openapi.complete(super().openapi())


def create_app(settings: ApiSettings, store: Store, keys: ApiKeys, book: PriceBook, folds: LargeCalls) -> FastAPI:
    """Return the API of this store, with these keys; `folds` folds the large calls."""
    availability = Availability()
    patience = settings.api_timeout_ms / 1000
    authentication = Authentication(keys, settings.api_secret_pepper.get_secret_value().encode(), patience)
    large = LargeReads(
        folds,
        most=settings.pool_processes + settings.pool_queue,
        patience=settings.api_fold_timeout_ms / 1000,
    )
    calls = Calls(authentication, availability, patience, SmallReads(store, book), large)
    app = Api(
        calls,
        title="Callfold",
        version="1",
        description="Voice calls, folded from their events.",
        lifespan=_lifespan(settings),
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Edge)
    app.add_exception_handler(Refused, answer_refused)
    app.add_exception_handler(HTTPException, answer_unrouted)
    _add_calls(app, calls)
    _add_health(app, Health(store, availability))
    _add_docs(app)
    return app


def _lifespan(settings: ApiSettings) -> Any:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        log.info("started", host=settings.api_host, port=settings.api_port)
        yield
        log.info("stopped")

    return lifespan


def _add_calls(app: FastAPI, calls: Calls) -> None:
    app.add_api_route(
        PATH,
        calls.get,
        response_class=Response,
        response_model=None,
        responses=openapi.CALL_RESPONSES,
        openapi_extra=openapi.CALL_EXTRA,
        operation_id="getCallById",
        summary="Get call by ID",
        tags=["Calls"],
    )


def _add_health(app: FastAPI, health: Health) -> None:
    common: dict[str, Any] = {"response_class": Response, "response_model": None, "tags": ["Operation"]}
    app.add_api_route("/healthz", health.alive, operation_id="getAlive", responses=openapi.HEALTH_RESPONSES, **common)
    app.add_api_route("/readyz", health.ready, operation_id="getReady", responses=openapi.READY_RESPONSES, **common)
    app.add_api_route("/metrics", health.metrics, include_in_schema=False, **common)


def _add_docs(app: FastAPI) -> None:
    for path, answer in (("/docs", docs.page), ("/docs/{name}", docs.file), ("/openapi.json", docs.contract)):
        app.add_api_route(path, answer, include_in_schema=False, response_class=Response, response_model=None)
