"""Files that their owner alone can read."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    # Written under another name and renamed: a process that is killed here leaves no empty secret.
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
    partial.rename(path)
