"""What is found in a file of events: as lines for people, or as JSON."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from services.ops.console import as_json, print_error, print_result, write_text
from services.ops.events.doubts import REPEATED, Doubt
from services.ops.events.lines import Line, Source
from shared.contract.decode_event import InvalidEvent

_MOST_ALIKE = 100

LAYOUT = "layout"
"""The kind of warning for a file that is not JSON Lines."""


class PrintedFindings:
    """Prints each finding as a line on standard error.

    Of warnings of one kind and field it prints the first ones only: a file may have one on each of its lines.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._counts = Counter[tuple[str, str | None]]()

    def refuse(self, line: Line, why: InvalidEvent) -> None:
        print_error(f"{self._source.name}:{line.number}: {why.reason}: {why.detail}")

    def doubt(self, line: Line, doubt: Doubt) -> None:
        self._counts[doubt.kind, doubt.field] += 1
        if self._counts[doubt.kind, doubt.field] > _MOST_ALIKE:
            return
        # Most sentences name the field themselves.
        field = f"`data.{doubt.field}`: " if doubt.field and f"data.{doubt.field}" not in doubt.detail else ""
        print_error(f"{self._source.name}:{line.number}: {_what(doubt)}: {field}{doubt.detail}")

    def layout(self, hint: str) -> None:
        print_error(f"{self._source.name}: warning: {LAYOUT}: {hint}")

    def end(self, summary: Mapping[str, Any]) -> None:
        for (kind, field), count in self._counts.items():
            if count > _MOST_ALIKE:
                of = f" of `data.{field}`" if field else ""
                what = "notes" if kind == REPEATED else "warnings"
                print_error(f"{self._source.name}: {count - _MOST_ALIKE} more {what}: {kind}{of}")
        repeated = f" ({summary['repeated']} repeated)" if summary["repeated"] else ""
        print_result(
            f"{summary['valid']} valid{repeated}, {summary['warnings']} warnings, {summary['refused']} refused"
        )
        if unknown := summary["unknown_types"]:
            print_error(f"types unknown to the contract, which only appear in the timeline: {', '.join(unknown)}")


def _what(doubt: Doubt) -> str:
    return "note" if doubt.kind == REPEATED else f"warning: {doubt.kind}"


class JsonFindings:
    """Prints one object: `findings`, each as soon as it is found, then what is summed up."""

    def __init__(self) -> None:
        self._before = '{"findings": ['

    def refuse(self, line: Line, why: InvalidEvent) -> None:
        self._add(severity="error", line=line.number, kind=why.reason, field=None, detail=why.detail, earlier_line=None)

    def doubt(self, line: Line, doubt: Doubt) -> None:
        self._add(
            severity="note" if doubt.kind == REPEATED else "warning",
            line=line.number,
            kind=doubt.kind,
            field=doubt.field,
            detail=doubt.detail,
            earlier_line=doubt.earlier,
        )

    def layout(self, hint: str) -> None:
        self._add(severity="warning", line=None, kind=LAYOUT, field=None, detail=hint, earlier_line=None)

    def end(self, summary: Mapping[str, Any]) -> None:
        opening = self._before if self._before.startswith("{") else "\n"
        write_text(f"{opening}], {as_json(summary)[1:]}\n")

    def _add(self, **finding: object) -> None:
        write_text(f"{self._before}\n{as_json(finding)}")
        self._before = ","
