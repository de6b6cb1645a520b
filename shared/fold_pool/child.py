"""A process of the pool: `python -m shared.fold_pool.child`. It is started by a program, and ends with it.

Whoever started it says on its standard input what is to be folded, and gets the answers from its standard output.
"""

import asyncio
import gc
import os
import resource
import sys
import threading
from typing import Any, BinaryIO

from shared.calls.large_calls import FoldFailed, LargeReading, OutOfMemory, store_call
from shared.calls.read_call import CallBroken, read_call
from shared.fold.prices import PriceBook
from shared.fold_pool.frames import Frame, Ready, Setup, pack, read
from shared.process import logs
from shared.store.ports import Lease, Store, StoreUnavailable, Unstorable

_NICE = 10
log = logs.logger(__name__)


def main() -> None:
    """Fold what is asked for, until the program that asks is gone."""
    questions, answers = _pipes()
    first = read(questions)
    if first is None:
        return
    setup: Setup = first[0]
    logs.configure(setup.log_level, setup.log_format)
    os.nice(_NICE)  # events and readers go first
    # Private memory that can be written, of which no file is the source: what a fold takes. Unlike RLIMIT_AS it does
    # not count what threads and libraries merely reserve.
    resource.setrlimit(resource.RLIMIT_DATA, (setup.memory_mb * 1024 * 1024,) * 2)
    # A fold makes millions of objects and no cycles: to look for some again and again would take half of its time.
    gc.disable()
    gc.freeze()
    with asyncio.Runner() as runner:
        runner.run(_serve(setup, questions, answers))


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return where questions come from and answers go to; what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sys.stdin.buffer, answers


async def _serve(setup: Setup, questions: BinaryIO, answers: BinaryIO) -> None:
    store = setup.open_store()
    asked: asyncio.Queue[Any] = asyncio.Queue()
    threading.Thread(target=_listen, args=(questions, asked, asyncio.get_running_loop()), daemon=True).start()
    _say(answers, (Ready(), ()))
    while True:
        answer = await _answer(await asked.get(), store, setup)
        _say(answers, answer)
        if isinstance(answer[0], OutOfMemory):
            return  # with whatever was left half done
        del answer
        gc.collect()


def _listen(questions: BinaryIO, asked: asyncio.Queue[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Pass on what is asked; the end of the pipe is the program's end, and so this process's, whatever it is at."""
    while (frame := read(questions)) is not None:
        loop.call_soon_threadsafe(asked.put_nowait, frame[0])
    os._exit(0)


def _say(answers: BinaryIO, frame: Frame) -> None:
    try:
        answers.writelines(pack(*frame))
        answers.flush()
    except BrokenPipeError:
        os._exit(0)


async def _answer(job: Lease | str | Ready, store: Store, setup: Setup) -> Frame:
    """Return what came of storing a claimed call, or of reading one, or why nothing did."""
    if isinstance(job, Ready):
        return job, ()
    call = job.call if isinstance(job, Lease) else job
    try:
        return await _fold(job, store, setup.book)
    except (StoreUnavailable, Unstorable, CallBroken) as error:
        return error, ()
    except MemoryError:
        return OutOfMemory(f"its fold needs more than CALLFOLD_POOL_MEMORY_MB={setup.memory_mb}"), ()
    except Exception as error:
        log.exception("fold_failed", call=call)
        return FoldFailed(type(error).__name__), ()


async def _fold(job: Lease | str, store: Store, book: PriceBook) -> Frame:
    if isinstance(job, Lease):
        return await store_call(store, job, book), ()
    reading = await read_call(store, job, book)
    if reading is None:
        return None, ()
    return LargeReading((), reading.etag, reading.finality), (reading.body,)


if __name__ == "__main__":
    main()
