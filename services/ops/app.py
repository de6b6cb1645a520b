"""The command `callfold` with its subcommands."""

import typer

from services.ops.commands import calls, dead_letters, events, keys, lag, problems, rebuild, rewind


def create_app() -> typer.Typer:
    """Return the command; the caller passes `obj`, which opens the database (`Opening`)."""
    app = typer.Typer(
        name="callfold",
        help="Publish events and read calls; manage API keys, dead letters and records; show the lag and the problems.",
        epilog="Example: callfold publish events.jsonl",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for group in (events.app, dead_letters.app, keys.app, calls.app, problems.app, rebuild.app, rewind.app, lag.app):
        app.add_typer(group)
    return app
