"""The saved views of a page that a person may use, and the one it opens with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from crm_admin.services.access import Person
from crm_admin.services.queries.sql import first, rows

PARTS: Final = ("q", "stage", "view", "sort", "cols")
"""What a list reads of its address and a view keeps: never a place in the list."""

VIEWS = """
SELECT v.id, v.name, v.filters, v.shared, v.user_id = :me AS mine, u.name AS by_name,
       p.value #>> '{}' = CAST(v.id AS text) AS is_default
  FROM saved_view v JOIN app_user u ON u.id = v.user_id
  LEFT JOIN preference p ON p.user_id = :me AND p.name = 'default_view:' || v.page
 WHERE v.page = :page AND (v.user_id = :me OR v.shared)
 ORDER BY v.user_id <> :me, v.name LIMIT 60
"""

ONE = """
SELECT v.id, v.page, v.name, v.filters FROM saved_view v
 WHERE v.id = :view AND (v.user_id = :me OR v.shared)
"""


@dataclass(frozen=True, slots=True)
class SavedView:
    id: UUID
    name: str
    filters: Mapping[str, str]
    shared: bool
    mine: bool
    by_name: str
    is_default: bool


def views(person: Person, page: str) -> Sequence[SavedView]:
    """Return the person's views of a page, then the shared ones of others."""
    return tuple(
        SavedView(
            id=row["id"],
            name=row["name"],
            filters={k: str(v) for k, v in (row["filters"] or {}).items() if k in PARTS},
            shared=row["shared"],
            mine=row["mine"],
            by_name=row["by_name"],
            is_default=bool(row["is_default"]),
        )
        for row in rows(VIEWS, me=person.user_id, page=page)
    )


def page_of(person: Person, view_id: UUID) -> str | None:
    """Return the page of a view the person may use, None when there is no such view."""
    row = first(ONE, me=person.user_id, view=view_id)
    return str(row["page"]) if row else None
