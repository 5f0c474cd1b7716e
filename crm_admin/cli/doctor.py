"""`flask crm doctor`: whether the installation is well, and what to do where it is not."""

import sys

import click
from flask.cli import with_appcontext

from crm_admin.cli.acting import json_option, say
from crm_admin.services import doctor

EXIT_UNWELL = 1


@click.command("doctor")
@json_option
@with_appcontext
def look(as_json: bool) -> None:
    """Look at database, queue, workers, scheduler, keys, and at what must always be true."""
    checks = doctor.examine()
    well = all(check.ok for check in checks)
    if as_json:
        say({"ok": well, "checks": [check.as_json() for check in checks]})
    else:
        for check in checks:
            click.echo(
                f"{'+' if check.ok else '!'} {check.name}: {check.message} {check.fix}".rstrip()
            )
    sys.exit(0 if well else EXIT_UNWELL)


def register(crm: click.Group) -> None:
    """Add the command to `flask crm`."""
    crm.add_command(look)
