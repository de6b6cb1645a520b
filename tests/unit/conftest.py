"""What unit tests share: each begins without the outages that another reported."""

import pytest

from shared.process import dependencies, metrics


@pytest.fixture(autouse=True)
def _no_outages() -> None:
    # They are the process's, and most tests end in the middle of theirs.
    dependencies._outages.clear()  # noqa: SLF001 - nothing else forgets who reported
    metrics.DEPENDENCY_UNAVAILABLE.clear()
