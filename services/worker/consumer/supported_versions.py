"""What of Faust's inside the worker leans on, and the refusal to start with another one.

`chunks.py` overrides methods that are not Faust's public face. The tests beside it say what they must do; they were
run with the versions below and no others. To upgrade: change the version here, run the tests, read what fails.
"""

from importlib.metadata import version

import faust.streams

TESTED = {"faust-streaming": ("0.15.3",), "mode-streaming": ("0.7.1",), "aiokafka": ("0.14.0",)}


class UnsupportedFaust(RuntimeError):
    """An offset could be committed for an event that was not written; the message says what to install."""


def check() -> None:
    """Return if this is the Faust that the tests were run with.

    Raises:
        UntestedFaust: another version, or no compiled stream iterator: the one in pure Python acknowledges messages of
            an old generation that it skips, so that a rebalance loses them.
    """
    for package, tested in TESTED.items():
        found = version(package)
        if found not in tested:
            raise UnsupportedFaust(
                f"{package} {found} is not one that this worker was tested with: {', '.join(tested)}"
            )
    if faust.streams._CStreamIterator is None:  # noqa: SLF001 - there is no public way to ask
        raise UnsupportedFaust("Faust's compiled stream iterator is missing: install the wheel, and unset NO_CYTHON")
