"""The main module of a process of the pool, `python -m shared.fold_pool.child`, which ends with its program.

It reads messages from its standard input, and writes the answers to its standard output.
"""

import asyncio
import gc
import os
import resource
import sys
import threading
from typing import Any, BinaryIO

from shared.calls.fold_call import store_call
from shared.calls.large_calls import FoldFailed, LargeReading, OutOfMemory
from shared.calls.read_call import CallBroken
from shared.calls.views import READ
from shared.fold.prices import PriceBook
from shared.fold_pool.process import Message, Query, Question, Ready, Setup, pack, read
from shared.process import logs
from shared.store.models import Lease
from shared.store.ports import Store, StoreUnavailable, Unstorable

_NICE = 10
log = logs.logger(__name__)


def main() -> None:
    """Fold calls until the program closes the pipe."""
    stdin, stdout = _pipes()
    first = read(stdin)
    if first is None:
        return
    setup: Setup = first[0]
    logs.configure(setup.log_level, setup.log_format)
    os.nice(_NICE)  # events and readers go first
    # RLIMIT_DATA limits private writable memory, which is what a fold takes. RLIMIT_AS would also count what threads
    # and libraries only reserve.
    resource.setrlimit(resource.RLIMIT_DATA, (setup.memory_mb * 1024 * 1024,) * 2)
    # A fold makes millions of objects and no cycles: the collector would take half of its time.
    gc.disable()
    gc.freeze()
    with asyncio.Runner() as runner:
        runner.run(_serve(setup, stdin, stdout))


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return standard input and output; what a library prints goes to standard error instead."""
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sys.stdin.buffer, stdout


async def _serve(setup: Setup, stdin: BinaryIO, stdout: BinaryIO) -> None:
    store = setup.open_store()
    jobs: asyncio.Queue[Any] = asyncio.Queue()
    threading.Thread(target=_listen, args=(stdin, jobs, asyncio.get_running_loop()), daemon=True).start()
    _send(stdout, (Ready(), ()))
    while True:
        answer = await _answer(await jobs.get(), store, setup)
        _send(stdout, answer)
        if isinstance(answer[0], OutOfMemory):
            return  # the failed fold may have left anything half done
        del answer
        gc.collect()


def _listen(stdin: BinaryIO, jobs: asyncio.Queue[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Pass messages on. The end of the pipe is the end of the program: this process ends too, even during a fold."""
    while (message := read(stdin)) is not None:
        loop.call_soon_threadsafe(jobs.put_nowait, message[0])
    os._exit(0)


def _send(stdout: BinaryIO, message: Message) -> None:
    try:
        stdout.writelines(pack(*message))
        stdout.flush()
    except BrokenPipeError:
        os._exit(0)


async def _answer(job: Lease | Query | Question | Ready, store: Store, setup: Setup) -> Message:
    """Store a leased call, read a view of a call, or answer a question; return the result, or the error."""
    if isinstance(job, Ready):
        return job, ()
    try:
        return await _fold(job, store, setup.book)
    except (StoreUnavailable, Unstorable, CallBroken) as error:
        return error, ()
    except MemoryError:
        return OutOfMemory(f"its fold needs more than CALLFOLD_POOL_MEMORY_MB={setup.memory_mb}"), ()
    except Exception as error:
        log.exception("fold_failed", call=job.call)
        return FoldFailed(type(error).__name__), ()


async def _fold(job: Lease | Query | Question, store: Store, book: PriceBook) -> Message:
    if isinstance(job, Lease):
        return await store_call(store, job, book), ()
    if isinstance(job, Question):
        return await job.answer(store, job.call, book), ()
    reading = await READ[job.view](store, job.call, book)
    if reading is None:
        return None, ()
    return LargeReading((), reading.etag, reading.finality), (reading.body,)


if __name__ == "__main__":
    main()
