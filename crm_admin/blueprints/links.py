"""Addresses of records, and the way back to the page a form was sent from."""

from uuid import UUID

from flask import url_for


def record_url(kind: str, record_id: UUID | str) -> str:
    """Return the page of a record: POVs have their own."""
    if kind == "pov":
        return url_for("povs.one", record_id=record_id)
    return url_for("records.one", kind=kind, record_id=record_id)


def back_to(asked: str, allowed: tuple[str, ...]) -> str:
    """Return the asked address when it is one of the allowed ones, else the first of them."""
    return asked if asked in allowed else allowed[0]
