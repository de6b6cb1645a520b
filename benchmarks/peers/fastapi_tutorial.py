"""The same route as in the tutorials of FastAPI and the driver: native documents, a `response_model`, no keys.

Its second route is an empty answer: what FastAPI and its server cost by themselves.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel, create_model
from pymongo import AsyncMongoClient
from typing_extensions import is_typeddict

from shared.fold.record import Record

MONGO_URI, MONGO_DATABASE, MONGO_DRIVER = "TUTORIAL_MONGO_URI", "TUTORIAL_MONGO_DATABASE", "TUTORIAL_MONGO_DRIVER"


def _as_model(hint: Any) -> Any:
    """Return the type with a pydantic model in place of each TypedDict."""
    if is_typeddict(hint):
        return _model(hint)
    arguments = tuple(map(_as_model, get_args(hint)))
    if get_origin(hint) in (Union, UnionType):
        return reduce(or_, arguments)
    return get_origin(hint)[arguments] if get_origin(hint) in (list, dict) else hint


@cache
def _model(declared: Any) -> type[BaseModel]:
    fields: dict[str, Any] = {name: (_as_model(hint), ...) for name, hint in get_type_hints(declared).items()}
    return create_model(declared.__name__, **fields)


CallRetrieved = create_model(
    "CallRetrieved", message=(str, ...), status=(str, ...), error=(str | None, ...), data=(_model(Record), ...)
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    connect: Any = AsyncIOMotorClient if os.environ[MONGO_DRIVER] == "motor" else AsyncMongoClient
    client = connect(os.environ[MONGO_URI])
    app.state.calls = client[os.environ[MONGO_DATABASE]].calls
    yield


app = FastAPI(lifespan=lifespan)


def calls(request: Request) -> Any:
    return request.app.state.calls


@app.get("/api/calls/{call_id}", response_model=CallRetrieved)
async def get_call(call_id: str, collection: Annotated[Any, Depends(calls)]) -> Any:
    if (call := await collection.find_one({"_id": call_id})) is None:
        raise HTTPException(404, f"Call with ID '{call_id}' does not exist")
    return {"message": "Call retrieved successfully", "status": "success", "error": None, "data": call}


@app.get("/empty")
async def empty() -> Response:
    return Response(b"{}", media_type="application/json")
