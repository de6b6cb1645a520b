"""The worker, whose Faust takes a second without progress for what it takes five minutes for.

python -m tests.support.worker.impatient_faust
"""

from services.worker.__main__ import main
from services.worker.consumer.consumer import ChunkConsumer, ChunkTransport
from services.worker.consumer.consumer_thread import ChunkThread

SECONDS = 1.0


class _ImpatientThread(ChunkThread):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.tp_fetch_request_timeout_secs = self.tp_fetch_response_timeout_secs = SECONDS
        self.tp_stream_timeout_secs = self.tp_commit_timeout_secs = SECONDS


class _ImpatientConsumer(ChunkConsumer):
    def _new_consumer_thread(self) -> ChunkThread:
        return _ImpatientThread(self, loop=self.loop, beacon=self.beacon)


if __name__ == "__main__":
    ChunkTransport.Consumer = _ImpatientConsumer
    main()
