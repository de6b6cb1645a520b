"""The table of mutants of docs/reliability.md: `python -m tests.mutants.table` prints it."""

from collections.abc import Iterator

from tests.mutants.catalogue import all_mutants


def rows() -> Iterator[str]:
    """Yield the lines of the table, in Markdown."""
    yield "| mutant | what it breaks | found by |"
    yield "|---|---|---|"
    for mutant in all_mutants():
        assert mutant.promise is not None
        yield f"| {mutant.name} | {mutant.promise} ... | `{mutant.proof.file}` |"


if __name__ == "__main__":
    print("\n".join(rows()))  # noqa: T201 - a program
