"""`callfold publish` and `callfold validate`."""

import asyncio
from typing import Any

import click

from services.ops.actions.findings import JsonFindings, PrintedFindings
from services.ops.console import Advance, print_error, print_json, print_result, progress
from services.ops.errors import FAILED
from services.ops.events.layout import Layout
from services.ops.events.lines import opened
from services.ops.events.publishing import publish as publish_source
from services.ops.events.validate_lines import Checking, Report, Tally
from services.ops.events.validate_lines import validate as validate_source
from services.ops.program import Program
from services.ops.settings import KAFKA, OpsSettings, load


def publish(program: Program, file: str, *, json: bool) -> None:
    settings = load(program, KAFKA, kind=OpsSettings)
    with opened(file) as source, progress("publishing", source.size) as advance:
        checking = Checking(PrintedFindings(source).refuse, lambda *_: None)
        tally = asyncio.run(publish_source(source, settings, checking, _reporting(advance)))
    if json:
        print_json({"published": tally.valid, "refused": tally.refused, "warnings": tally.warnings})
    else:
        print_result(f"{tally.valid} published, {tally.refused} refused")
        if tally.warnings:
            print_error(f"{tally.warnings} warnings: see callfold validate")
    if tally.refused:
        raise click.exceptions.Exit(FAILED)


def validate(file: str, *, strict: bool, json: bool) -> None:
    with opened(file) as source, progress("checking", source.size) as advance:
        findings = JsonFindings() if json else PrintedFindings(source)
        checking = Checking(findings.refuse, findings.doubt)
        tally = asyncio.run(validate_source(source, checking, _reporting(advance)))
        warnings = tally.warnings
        if tally.layout is not Layout.LINES:
            warnings += 1
            findings.layout(tally.layout.hint(source))
        findings.end(_summary(tally, warnings))
    if tally.refused or (strict and warnings):
        raise click.exceptions.Exit(FAILED)


def _summary(tally: Tally, warnings: int) -> dict[str, Any]:
    return {
        "valid": tally.valid,
        "repeated": tally.repeated,
        "warnings": warnings,
        "refused": tally.refused,
        "unknown_types": sorted(tally.unknown),
    }


def _reporting(advance: Advance) -> Report:
    return lambda tally: advance(tally.bytes_read, f"{tally.valid} events")
