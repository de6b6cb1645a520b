"""`callfold publish` and `callfold validate`."""

import click

from services.ops.commands.arguments import as_json
from services.ops.program import Program
from services.ops.start import loading


@click.command(epilog="Example: callfold publish events.jsonl")
@click.argument("file")
@as_json
@click.pass_obj
def publish(program: Program, *, file: str, json: bool) -> None:
    """Publish the events of a file, each to the topic of its type.

    FILE has one CloudEvent a line (JSON Lines); - is standard input. The command ends when Kafka has acknowledged them.

    A line that is not a valid event is reported with its number and reason, and the others are published. Warnings are
    only counted: `callfold validate` prints them.
    """
    with loading():
        from services.ops.actions import events as action
    action.publish(program, file, json=json)


@click.command(epilog="Example: callfold validate --strict events.jsonl")
@click.argument("file")
@click.option("--strict", is_flag=True, help="Exit with 1 if there are warnings")
@as_json
def validate(*, file: str, strict: bool, json: bool) -> None:
    """Check the events of a file, and publish nothing.

    FILE has one CloudEvent a line (JSON Lines); - is standard input. A JSON array, and events over several lines, are
    read too, with a warning: `publish` does not take them.

    Refused is a line that is not a valid event. Warnings name what a valid event loses or probably misspells: what
    cannot be read, a wrong clock, an unknown field, a type that resembles one of the contract; and a `source` and `id`
    that an earlier line of the same call has with another body, among the last million events. With the same body it is
    only noted: the event counts once.

    Of the findings of one kind and field the first 100 are printed; --json prints all.
    """
    with loading():
        from services.ops.actions import events as action
    action.validate(file, strict=strict, json=json)
