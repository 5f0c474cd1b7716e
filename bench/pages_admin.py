"""Flask-Admin over the same table: what most people would take for an admin of a million rows."""

import os
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_babel import Babel
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What the model of this app inherits."""


db = SQLAlchemy(model_class=Base)


class Record(db.Model):  # type: ignore[name-defined,misc]
    """The columns our own list shows."""

    organization_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    title: Mapped[str]
    external_id: Mapped[str]
    status: Mapped[str]
    amount: Mapped[int]
    due_on: Mapped[date]
    updated_at: Mapped[datetime]


class Records(ModelView):
    """One kind of one organisation, as an application would narrow it."""

    can_create = can_edit = can_delete = False
    column_display_pk = True
    page_size = 50
    column_list = ("title", "status", "amount", "due_on", "updated_at")
    column_sortable_list = ("title", "amount", "updated_at")
    column_searchable_list = ("title", "external_id")
    column_filters = ("status",)

    def get_query(self) -> Any:
        return self._narrowed(super().get_query())

    def get_count_query(self) -> Any:
        return self._narrowed(self.session.query(func.count()).select_from(self.model))

    def _narrowed(self, query: Any) -> Any:
        return query.filter(
            Record.organization_id == UUID(os.environ["BENCH_ORGANIZATION"]),
            Record.kind == os.environ["BENCH_KIND"],
        )


def create_app() -> Flask:
    """Return the peer as a served app; it looks past row-level security, as it knows none."""
    app = Flask("peer")
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["BENCH_DATABASE"]
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
    db.init_app(app)
    Babel(app)  # it insists, where the package is there
    admin = Admin(app, name="peer")
    with app.app_context():
        admin.add_view(Records(Record, db.session, endpoint="peer"))
        db.session.execute(select(1))
    return app


app = create_app()
