"""What the metrics keep of a fold."""

import pytest

from services.worker.metrics import WORKER
from tests.support.events.makers import event
from tests.support.worker.memory_worker import MemoryWorker


@pytest.mark.parametrize(("product", "unrated"), [("no_such_product", 1), ("llm_usage", 0)])
async def test_usage_without_a_price_is_counted(product: str, unrated: int) -> None:
    def counted() -> float:
        return WORKER.registry.get_sample_value("callfold_unrated_usage_total") or 0.0

    before, worker = counted(), MemoryWorker()
    usage = event("usage.reported", product=product, quantity=3, usage_id="u")

    await worker.deliver(event("call.created"), usage, event("call.ended"))
    await worker.rest()

    assert counted() - before == unrated
