"""Lists that people keep under a name: filters, order and columns of a page, for themselves or
for everybody.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from psycopg.errors import UniqueViolation

from crm_admin.errors import BadInput, NotFound
from crm_admin.ids import new_id
from crm_admin.packs.registry import kinds
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.preferences import drop, put
from crm_admin.services.queries.views import PARTS
from crm_admin.services.sql import Cursor, Row, dumps, transaction

DEFAULT: Final = "default_view:"
POVS: Final = "povs"
NUL: Final = "\x00"
LONGEST_NAME: Final = 60
MOST: Final = 50
LONGEST_FILTER: Final = 300

Filters = Mapping[str, str]


def save(*, person: Person, page: str, name: str, filters: Filters, shared: bool) -> UUID:
    """Keep a page's filters under a name; the same name of the same person is replaced.

    Only what a list reads is kept. Returns the view's id. BadInput when the name cannot be used,
    the person has too many views or sees no such list.
    """
    words = _name(name)
    if page not in _pages(person):
        raise BadInput("page", "This list cannot be saved.")
    kept = _filters(filters)
    with transaction() as cursor:
        count = cursor.execute(
            "SELECT count(*) AS n FROM saved_view WHERE user_id = %s AND page = %s AND name <> %s",
            (person.user_id, page, words),
        ).fetchone()
        if count is not None and count["n"] >= MOST:
            raise BadInput("name", f"You have {MOST} views of this list. Delete one first.")
        row = cursor.execute(
            "INSERT INTO saved_view (organization_id, id, user_id, page, name, filters, shared,"
            " created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, now())"
            " ON CONFLICT (organization_id, user_id, page, name) DO UPDATE"
            " SET filters = excluded.filters, shared = excluded.shared RETURNING id",
            (person.organization_id, new_id(), person.user_id, page, words, dumps(kept), shared),
        ).fetchone()
        view_id = UUID(str(row["id"])) if row else new_id()
        audit.write(
            cursor, person, "view.save", "saved_view", view_id, after={"name": words, "page": page}
        )
    return view_id


def _pages(person: Person) -> set[str]:
    """The lists this person has."""
    if person.sees_own_povs_only:
        return {POVS}
    return {POVS, *(f"records/{kind.name}" for kind in kinds() if kind.name != "pov")}


def _name(name: str) -> str:
    words = " ".join(name.split())
    if not words:
        raise BadInput("name", "Give the view a name, like Closing this quarter.")
    if len(words) > LONGEST_NAME:
        raise BadInput("name", f"Use a name of at most {LONGEST_NAME} letters.")
    return words


def _filters(filters: Filters) -> dict[str, str]:
    if any(NUL in name or NUL in value for name, value in filters.items()):
        raise BadInput("filters", "These filters hold a sign that no text can hold.")
    kept = {name: value for name, value in filters.items() if value and name in PARTS}
    too_long = any(len(name) + len(value) > LONGEST_FILTER for name, value in kept.items())
    if too_long:
        raise BadInput("name", "These filters are too long to be kept.")
    return kept


def rename(*, person: Person, view_id: UUID, name: str) -> None:
    """Give a view of the person another name; another one's view is not found."""
    words = _name(name)
    try:
        with transaction() as cursor:
            before = _own(cursor, person, view_id)
            cursor.execute("UPDATE saved_view SET name = %s WHERE id = %s", (words, view_id))
            audit.write(
                cursor,
                person,
                "view.rename",
                "saved_view",
                view_id,
                before={"name": before["name"]},
                after={"name": words},
            )
    except UniqueViolation:
        raise BadInput("name", "You have a view of this name already. Choose another.") from None


def delete(*, person: Person, view_id: UUID) -> str:
    """Forget a view of the person; return its name."""
    with transaction() as cursor:
        before = _own(cursor, person, view_id)
        cursor.execute("DELETE FROM saved_view WHERE id = %s", (view_id,))
        audit.write(
            cursor,
            person,
            "view.delete",
            "saved_view",
            view_id,
            before={"name": before["name"], "page": before["page"]},
        )
    return str(before["name"])


def set_default(*, person: Person, view_id: UUID, on: bool) -> None:
    """Let a list open with a view the person may use, or with everything again."""
    with transaction() as cursor:
        row = cursor.execute(
            "SELECT page FROM saved_view WHERE id = %s AND (user_id = %s OR shared)",
            (view_id, person.user_id),
        ).fetchone()
        if row is None:
            raise NotFound("This view is not there any more.")
        if on:
            put(cursor, person, f"{DEFAULT}{row['page']}", value=str(view_id))
        else:
            drop(cursor, person, f"{DEFAULT}{row['page']}")


def _own(cursor: Cursor, person: Person, view_id: UUID) -> Row:
    row = cursor.execute(
        "SELECT name, page FROM saved_view WHERE id = %s AND user_id = %s FOR UPDATE",
        (view_id, person.user_id),
    ).fetchone()
    if row is None:
        raise NotFound("This view is not there, or it is somebody else's.")
    return row
