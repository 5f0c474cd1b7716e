"""`flask crm keys …`: which key seals what, and everything sealed anew under the current one."""

import sys
from dataclasses import asdict

import click
from flask.cli import AppGroup

from crm_admin.cli.acting import json_option, say, sentences
from crm_admin.services import keys

EXIT_SHUT = 1

group = AppGroup("keys", help="Look at the encryption keys, and seal everything anew.")


@group.command("list")
@json_option
@sentences
def show(as_json: bool) -> None:
    """Say how many stored secrets need each key."""
    found = keys.uses()
    if as_json:
        say([asdict(one) for one in found])
        return
    for one in found:
        if not one.is_known:
            note = "is not in ENCRYPTION_KEYS: its secrets cannot be read"
        elif one.is_current:
            note = "seals what is new"
        else:
            note = "still needed" if one.secrets else "may be taken out of ENCRYPTION_KEYS"
        click.echo(f"{one.id}\t{one.secrets}\t{note}")


@group.command("rotate")
@json_option
@sentences
def rotate(as_json: bool) -> None:
    """Seal every stored secret under the first key of ENCRYPTION_KEYS; again after a crash it does
    what is left.
    """
    done = keys.rotate()
    if as_json:
        say(asdict(done))
    else:
        click.echo(f"Sealed {done.changed} secrets anew; {done.kept} were already.")
        for line in done.shut:
            click.echo(f"! {line}", err=True)
    sys.exit(EXIT_SHUT if done.shut else 0)


def register(crm: AppGroup) -> None:
    """Add the family to `flask crm`."""
    crm.add_command(group)
