"""The table of what came of each client."""

from collections.abc import Sequence

from tests.clients.run import Result

_COLUMNS = ("client", "version", "mode", "events", "aborted", "mis-keyed", "differ", "callfold lag", "consumer-groups")


def table(results: Sequence[Result]) -> str:
    """Return the table in Markdown, and a line for each problem."""
    rows = [_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), *[_row(_cells(each)) for each in results]]
    problems = [f"{each.client.name}: {each.problem}" for each in results if each.problem]
    good = len({each.client.name for each in results}) - len({each.client.name for each in results if each.problem})
    return "\n".join(
        [*rows, "", *problems, f"{good} of {len({each.client.name for each in results})} clients are right"]
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(result: Result) -> Sequence[str]:
    counts = (result.events, result.aborted, result.mis_keyed, result.differing)
    seconds = (result.by_callfold, result.by_groups)
    return (
        result.client.name,
        result.version,
        result.client.describe(),
        *map(str, counts),
        *("-" if each is None else f"{each:.1f} s" for each in seconds),
    )
