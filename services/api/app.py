"""The application: its routes and their dependencies. Nothing connects here."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.api import openapi
from services.api.access_log import AccessLog
from services.api.as_of import AsOf
from services.api.encoding.compression import Compression
from services.api.errors import ApiError, api_error_response, http_exception_response
from services.api.keys.authentication import Authentication, Limits
from services.api.keys.forwarded import ForwardedFor
from services.api.middleware import RequestMiddleware
from services.api.routes import docs
from services.api.routes.calls import DETAILS_PATH, PATH, Calls
from services.api.routes.health import Health
from services.api.routes.large_calls import LargeCallReader
from services.api.settings import ApiSettings
from services.api.store_health import StoreHealth
from shared.calls.large_calls import LargeCalls
from shared.calls.read_call import CachedReads
from shared.calls.read_details import DetailsReads
from shared.calls.views import View
from shared.config.fleet import of_reader
from shared.fold.prices import PriceBook
from shared.process.logs import logger
from shared.process.rate_limits import RateLimit
from shared.process.repeated import repeated
from shared.store.fleet_watch import FleetWatch
from shared.store.ports import ApiKeys, Store, StoreUnavailable

log = logger(__name__)

_FLEET_SECONDS = 60.0

_OPERATION: dict[str, Any] = {"response_class": Response, "response_model": None, "tags": ["Operation"]}


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """What the API reads from; `large_calls` folds the calls that are too large for this process."""

    store: Store
    keys: ApiKeys
    price_book: PriceBook
    large_calls: LargeCalls
    health: StoreHealth = field(default_factory=StoreHealth)


class Route(APIRoute):
    """A route whose handler takes the request alone: FastAPI's dependency injection costs more than reading a call."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler as it is."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


class Api(FastAPI):
    """FastAPI with a complete OpenAPI document: handlers read their headers themselves, so FastAPI cannot know them."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return openapi.complete(super().openapi())


def create_app(settings: ApiSettings, dependencies: ApiDependencies) -> FastAPI:
    """Return the API; health and metrics are part of it unless they have a port of their own."""
    as_of = AsOf(dependencies.store, settings.api_timeout_ms / 1000)
    fleet = FleetWatch(dependencies.store, of_reader(dependencies.price_book))
    app = _app(settings, _lifespan(settings, as_of, fleet))
    _add_calls(app, _calls(settings, dependencies, as_of))
    health = Health(dependencies.store, dependencies.health)
    _add_alive(app, health)
    if settings.api_metrics_port is None:
        _add_ready(app, health)
    _add_docs(app)
    return app


def create_operation_app(settings: ApiSettings, dependencies: ApiDependencies) -> FastAPI:
    """Return the application of the other port: health and metrics alone."""
    app = _app(settings, None)
    health = Health(dependencies.store, dependencies.health)
    _add_alive(app, health)
    _add_ready(app, health)
    return app


def _app(settings: ApiSettings, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None) -> FastAPI:
    app = Api(
        title="Callfold",
        version="1",
        description="Voice calls, folded from their events.",
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.router.route_class = Route
    app.add_middleware(Compression)
    app.add_middleware(RequestMiddleware, access_log=AccessLog(settings.api_access_log))
    app.add_exception_handler(ApiError, api_error_response)
    app.add_exception_handler(HTTPException, http_exception_response)
    return app


def _calls(settings: ApiSettings, dependencies: ApiDependencies, as_of: AsOf) -> Calls:
    timeout = settings.api_timeout_ms / 1000
    pepper = settings.api_secret_pepper.get_secret_value().encode()
    return Calls(
        Authentication(dependencies.keys, pepper, timeout, _limits(settings)),
        ForwardedFor(trusted=bool(settings.api_trusted_proxies)),
        dependencies.health,
        timeout,
        {
            View.RECORD: CachedReads(dependencies.store, dependencies.price_book),
            View.DETAILS: DetailsReads(dependencies.store, dependencies.price_book),
        },
        LargeCallReader(
            dependencies.large_calls,
            capacity=settings.pool_processes + settings.pool_queue,
            timeout=settings.api_fold_timeout_ms / 1000,
        ),
        as_of,
    )


def _limits(settings: ApiSettings) -> Limits:
    rejections, requests = settings.api_rejected_keys_per_minute, settings.api_key_requests_per_second
    return Limits(
        rejections=RateLimit(rejections / 60, burst=rejections) if rejections else None,
        requests=RateLimit(requests, burst=requests) if requests else None,
    )


def _lifespan(
    settings: ApiSettings, as_of: AsOf, fleet: FleetWatch
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        log.info("started", host=settings.api_host, port=settings.api_port)
        async with as_of.refreshed(), repeated(fleet.check, _FLEET_SECONDS, StoreUnavailable):
            yield
        log.info("stopped")

    return lifespan


def _add_calls(app: FastAPI, calls: Calls) -> None:
    common: dict[str, Any] = {"response_class": Response, "response_model": None, "tags": ["Calls"]}
    app.add_api_route(
        PATH,
        calls.get,
        responses=openapi.CALL_RESPONSES,
        openapi_extra=openapi.CALL_EXTRA,
        operation_id="getCallById",
        summary="Get call by ID",
        **common,
    )
    app.add_api_route(
        DETAILS_PATH,
        calls.get_details,
        responses=openapi.DETAILS_RESPONSES,
        openapi_extra=openapi.CALL_EXTRA,
        operation_id="getCallDetailsById",
        summary="Get details of a call by ID",
        **common,
    )


def _add_alive(app: FastAPI, health: Health) -> None:
    app.add_api_route(
        "/healthz", health.alive, operation_id="getAlive", responses=openapi.HEALTH_RESPONSES, **_OPERATION
    )


def _add_ready(app: FastAPI, health: Health) -> None:
    app.add_api_route("/readyz", health.ready, operation_id="getReady", responses=openapi.READY_RESPONSES, **_OPERATION)
    app.add_api_route("/metrics", health.metrics, include_in_schema=False, **_OPERATION)


def _add_docs(app: FastAPI) -> None:
    for path, handler in (("/docs", docs.page), ("/docs/{name}", docs.file), ("/openapi.json", docs.contract)):
        app.add_api_route(path, handler, include_in_schema=False, response_class=Response, response_model=None)
