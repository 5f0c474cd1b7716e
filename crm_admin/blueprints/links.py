"""Addresses of records, and the way back to the page a form was sent from."""

from uuid import UUID

from flask import url_for


def record_url(kind: str, record_id: UUID | str) -> str:
    """Return the page of a record: POVs have their own."""
    if kind == "pov":
        return url_for("povs.one", record_id=record_id)
    return url_for("records.one", kind=kind, record_id=record_id)


def list_url(page: str) -> str:
    """Return the list a saved view belongs to: povs, or records/ and a kind."""
    folder, _, kind = page.partition("/")
    if folder == "records" and kind:
        return url_for("records.listing", kind=kind)
    return url_for("povs.index")


def list_of(kind: str) -> str:
    """Return the list that records of a kind stand in."""
    return list_url("povs" if kind == "pov" else f"records/{kind}")


def back_to(asked: str, allowed: tuple[str, ...]) -> str:
    """Return the asked address when it is one of the allowed ones, else the first of them."""
    return asked if asked in allowed else allowed[0]
