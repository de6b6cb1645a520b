"""Until when each partition is written, in memory."""

from collections.abc import Mapping

from shared.store.models import Watermark


class MemoryWatermarks:
    """Implements `Watermarks`."""

    _watermarks: dict[int, Watermark]

    async def put_watermarks(self, untils: Mapping[int, int], partitions: int) -> None:
        self._watermarks |= {partition: Watermark(until, partitions) for partition, until in untils.items()}

    async def watermarks(self) -> Mapping[int, Watermark]:
        return dict(self._watermarks)
