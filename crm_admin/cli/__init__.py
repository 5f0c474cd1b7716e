"""`flask crm …`: one small file per command family; each command is a few lines into a service."""

from importlib import import_module
from pkgutil import iter_modules

import click
from flask import Flask
from flask.cli import AppGroup


class Families(AppGroup):
    """Loads the command families when a command is asked for: the web needs none of them."""

    _loaded = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        for name in sorted(info.name for info in iter_modules(__path__)):
            family = import_module(f"{__name__}.{name}")
            if hasattr(family, "register"):
                family.register(self)


crm = Families("crm", help="Everything CRM Admin does, without a browser.")


def init_app(app: Flask) -> None:
    """Add `flask crm`: every module here that offers `register(group)` takes part."""
    app.cli.add_command(crm)
