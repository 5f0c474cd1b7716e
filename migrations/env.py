"""Runs migrations as crm_owner, and keeps monthly partitions out of comparisons."""

import re

from alembic import context
from flask import current_app
from sqlalchemy.schema import SchemaItem

from crm_admin import models
from crm_admin.database import Role, engine_for

PARTITION = re.compile(r"(operation|api_call)_\d{4}_\d{2}\Z")


def include_object(
    item: SchemaItem,
    name: str | None,
    type_: str,
    reflected: bool,  # noqa: FBT001 -- Alembic calls it so
    _compared: SchemaItem | None,
) -> bool:
    table = name if type_ == "table" else getattr(getattr(item, "table", None), "name", None)
    return not (reflected and table and PARTITION.match(table))


def run_online() -> None:
    with engine_for(Role.OWNER).connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=models.Base.metadata,
            include_object=include_object,
            transaction_per_migration=True,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


def run_offline() -> None:
    context.configure(dialect_name="postgresql", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
