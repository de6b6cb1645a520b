"""The real worker with one mistake, which a proof must find, or the proof finds nothing.

CALLFOLD_TEST_MUTANT=skips_updates python -m tests.mutants.worker
"""

from services.worker.__main__ import main
from tests.mutants.worker.planted import planted

if __name__ == "__main__":
    main(planted)
