"""`flask crm …`: one small file per command family; each command is a few lines into a service."""

from importlib import import_module
from pkgutil import iter_modules

from flask import Flask
from flask.cli import AppGroup

crm = AppGroup("crm", help="Everything CRM Admin does, without a browser.")


def init_app(app: Flask) -> None:
    """Register every command family: a module here that offers `register(group)`."""
    for module in sorted(info.name for info in iter_modules(__path__)):
        family = import_module(f"{__name__}.{module}")
        if hasattr(family, "register"):
            family.register(crm)
    app.cli.add_command(crm)
