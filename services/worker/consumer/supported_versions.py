"""The versions of Faust that the worker supports; it does not start with another one.

`consumer.py` overrides methods that are not part of Faust's public interface. The tests of this folder assert what they
must do; they ran with the versions below only. To upgrade: change the version here, and run the tests.
"""

from importlib.metadata import version

import faust.streams

TESTED = {"faust-streaming": ("0.15.3",), "mode-streaming": ("0.7.1",), "aiokafka": ("0.14.0",)}


class UnsupportedFaust(RuntimeError):
    """An offset could be committed for an event that is not written; the message says what to install."""


def check() -> None:
    """Return if a supported Faust is installed.

    Raises:
        UnsupportedFaust: another version, or no compiled stream iterator: the one in pure Python acknowledges messages
            of an old generation that it skips, so that a rebalance loses them.
    """
    for package, tested in TESTED.items():
        installed = version(package)
        if installed not in tested:
            raise UnsupportedFaust(f"{package} {installed} is not supported: install {' or '.join(tested)}")
    if faust.streams._CStreamIterator is None:  # noqa: SLF001 - there is no public way to ask
        raise UnsupportedFaust("Faust's compiled stream iterator is missing: install the wheel, and unset NO_CYTHON")
