"""The real worker on a machine whose clock is wrong.

CALLFOLD_TEST_AHEAD_SECONDS=-3600 python -m tests.support.worker.skewed_worker
"""

import os
import time

_AHEAD_SECONDS = int(os.environ["CALLFOLD_TEST_AHEAD_SECONDS"])
_time, _time_ns = time.time, time.time_ns


def _skewed() -> float:
    return _time() + _AHEAD_SECONDS


def _skewed_ns() -> int:
    return _time_ns() + _AHEAD_SECONDS * 10**9


if __name__ == "__main__":
    # Before anything is imported that keeps one of them.
    time.time, time.time_ns = _skewed, _skewed_ns

    from services.worker.__main__ import main

    main()
