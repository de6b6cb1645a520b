"""The calls that the folder's tests tell of."""

from shared.store.memory import MemoryStore
from shared.store.port import Mark
from tests.support.makers import STARTED, Json, event
from tests.support.stored import CALL, tokens

CREATED, BEGUN, ENDED = event("call.created"), event("call.started"), event("call.ended", at=STARTED + 9_000)
SAID = event("transcript.turn", content="my secret")
OPT_OUT = event("call.updated", opt_out_sensitive_data_storage=True)
MARK = Mark(CALL, 0, STARTED, stale=True)
OTHERS = ["org-789/call-1", "org-789/call-2"]


def ended(call: str, *, at: int = STARTED) -> list[Json]:
    return [event("call.started", call=call, at=at), event("call.ended", call=call, at=at + 1_000)]


async def attempts_of(memory: MemoryStore, call: str = CALL) -> int:
    (claim,) = await memory.claim([call], next(tokens))
    await memory.release([call], claim.token)
    return claim.attempts - 1
