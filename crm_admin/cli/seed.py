"""`flask crm seed`: the demo organisation and the other side's records."""

import click
from flask.cli import AppGroup

from crm_admin.cli.acting import json_option, say, sentences
from crm_admin.services.seed import demo


@click.command("seed")
@click.option("--reset", is_flag=True, help="Delete the demo with all its runs, and make it anew.")
@json_option
@sentences
def seed(reset: bool, as_json: bool) -> None:
    """Make the demo organisation and fill the simulated CRM; a second time changes nothing."""
    made = demo.seed(reset=reset)
    if as_json:
        say(made.as_json())
    else:
        click.echo(made.sentence)


def register(group: AppGroup) -> None:
    """Add the command to `flask crm`."""
    group.add_command(seed)
