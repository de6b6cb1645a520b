"""The same route as FastAPI's and the driver's tutorials would have it: native documents, a `response_model`.

It asks nobody who they are. Beside it an empty answer, which is what FastAPI and its server cost by themselves.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel
from pymongo import AsyncMongoClient

MONGO_URI, MONGO_DATABASE, MONGO_DRIVER = "TUTORIAL_MONGO_URI", "TUTORIAL_MONGO_DATABASE", "TUTORIAL_MONGO_DRIVER"


class TimelineEntry(BaseModel):
    timestamp: int
    event: str
    session_time: float
    data: dict[str, Any]


class SpokenWord(BaseModel):
    word: str
    start: int | None
    end: int | None


class Turn(BaseModel):
    role: str
    content: str
    timestamp: int
    words: list[SpokenWord]


class ToolCallInvocation(BaseModel):
    role: Literal["tool_call_invocation"]
    tool_call_id: str
    name: str
    arguments: str
    timestamp: int


class ToolCallResult(BaseModel):
    role: Literal["tool_call_result"]
    tool_call_id: str
    content: str
    successful: bool | None
    timestamp: int


class Percentiles(BaseModel):
    max: float
    min: float
    num: int
    p50: float
    p90: float
    p95: float
    p99: float
    values: list[float]


class ProductCost(BaseModel):
    product: str
    cost: float
    unit_price: float | None


class CallCost(BaseModel):
    combined_cost: float
    product_costs: list[ProductCost]
    total_duration_seconds: float
    total_duration_unit_price: float
    total_one_time_price: float


class TelephonyIds(BaseModel):
    call_sid: str | None
    conference_sid: str | None


class Call(BaseModel):
    id: str
    agent_id: str | None
    call_id: str
    organization_id: str
    call_status: Literal["REGISTERED", "ONGOING", "ENDED", "ERROR", "SCHEDULED"]
    call_type: str | None
    direction: str | None
    from_number: str | None
    to_number: str | None
    start_timestamp: int | None
    end_timestamp: int | None
    call_duration: float | None
    disconnection_reason: str | None
    recording_url: str | None
    public_log_url: str | None
    opt_out_sensitive_data_storage: bool
    metadata: dict[str, Any]
    events: list[TimelineEntry]
    transcript: str
    transcript_object: list[Turn]
    transcript_with_tool_calls: list[Turn | ToolCallInvocation | ToolCallResult]
    latency: dict[str, Percentiles] | None
    call_analysis: dict[str, Any] | None
    call_cost: CallCost | None
    telephony_identifier: TelephonyIds | None


class CallRetrieved(BaseModel):
    message: str
    status: str
    error: str | None
    data: Call


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
