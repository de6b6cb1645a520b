"""The command `callfold` with its subcommands."""

from pathlib import Path

import click

from services.ops.commands import accounts, calls, dead_letters, events, keys, lag, problems, rebuild, rewind
from services.ops.errors import INTERRUPTED, CommandError
from services.ops.program import Program

NAME = "callfold"


class _Callfold(click.Group):
    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            raise CommandError("interrupted", INTERRUPTED) from None


def create_app() -> click.Group:
    """Return the command; the caller passes `obj`, which opens the database (`Opening`)."""

    @click.group(NAME, cls=_Callfold, no_args_is_help=True, epilog="Example: callfold publish events.jsonl")
    @click.option(
        "--env",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
        help="A file of CALLFOLD_ settings in place of .local/callfold.env; the environment overrides it",
    )
    @click.version_option(package_name=NAME, message="%(prog)s %(version)s", help="Print the version")
    @click.pass_context
    def app(context: click.Context, env: Path | None) -> None:
        """Publish events and read calls; manage API keys, dead letters and records; show the lag and the problems."""
        context.obj = Program(context.obj, env)

    for command in (
        *(events.publish, events.validate),
        *(calls.get, calls.events, problems.problems, rebuild.rebuild, rewind.rewind, lag.lag),
        *(dead_letters.group, keys.group, accounts.group),
    ):
        app.add_command(command)
    return app
