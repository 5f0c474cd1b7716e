"""Every POV with where it stands in each CRM: in sync, waiting, failed or not there yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.services.access import Person
from crm_admin.services.queries import paging, scope
from crm_admin.services.queries.sql import only, rows

VIEWS = ("failed", "waiting", "missing")

FAILED = "EXISTS (SELECT 1 FROM link l WHERE l.record_id = r.id AND coalesce(l.error, '') <> '')"
WAITING = "EXISTS (SELECT 1 FROM outbox b WHERE b.record_id = r.id)"
MISSING = (
    "NOT r.hub_only AND NOT EXISTS (SELECT 1 FROM link l WHERE l.record_id = r.id"
    " AND l.status = 'linked')"
)
PARTS = {"failed": FAILED, "waiting": WAITING, "missing": MISSING}

OF_PERSON = f"r.kind = 'pov' AND r.deleted_at IS NULL AND r.merged_into IS NULL AND {scope.OWN}"

LIST = """
SELECT r.id, r.title, r.hub_only, u.name AS owner,
       (SELECT jsonb_agg(jsonb_build_object('connection', c.name, 'status', l.status,
                 'error', l.error, 'at', l.agreed_at) ORDER BY c.priority, c.name)
          FROM link l JOIN connection c ON c.id = l.connection_id
         WHERE l.record_id = r.id AND l.status <> 'shadow') AS links,
       (SELECT min(b.created_at) FROM outbox b WHERE b.record_id = r.id) AS waits_since
  FROM record r LEFT JOIN app_user u ON u.id = r.owner_id
 WHERE {of_person} {part}
 ORDER BY r.title, r.id LIMIT :amount
"""

COUNTS = f"""
SELECT count(*) FILTER (WHERE {FAILED}) AS failed, count(*) FILTER (WHERE {WAITING}) AS waiting,
       count(*) FILTER (WHERE {MISSING}) AS missing, count(*) AS total
  FROM (SELECT * FROM record r WHERE {OF_PERSON} LIMIT 10001) r
"""  # noqa: S608 - only our own conditions are pasted in


@dataclass(frozen=True, slots=True)
class There:
    """A POV in one CRM."""

    connection: str
    status: str
    error: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class PovState:
    id: UUID
    title: str
    owner: str
    hub_only: bool
    there: Sequence[There]
    waits_since: datetime | None


@dataclass(frozen=True, slots=True)
class PovStates:
    """One page of POVs, and how many stand where."""

    povs: Sequence[PovState]
    after: str
    counts: Mapping[str, int]
    view: str


def pov_states(person: Person, view: str = "", after: str = "") -> PovStates:
    """Return one page of the POVs that a person may see, by name."""
    place = paging.decode(after)
    chosen = view if view in VIEWS else ""
    part = f"AND {PARTS[chosen]}" if chosen else ""
    values: dict[str, object] = {}
    if place is not None:
        part += " AND (r.title, r.id) > (CAST(:title AS text), CAST(:id AS uuid))"
        values = {"title": place.value, "id": place.id}
    owner = scope.owner_of(person)
    found = rows(
        LIST.format(of_person=OF_PERSON, part=part),
        owner=owner,
        amount=paging.PAGE + 1,
        **values,
    )
    shown = [_state(row) for row in found[: paging.PAGE]]
    more = len(found) > paging.PAGE
    counts = only(COUNTS, owner=owner)
    return PovStates(
        shown,
        paging.encode(shown[-1].title, shown[-1].id) if more else "",
        {name: counts[name] for name in ("total", *VIEWS)},
        chosen,
    )


def _state(row: Mapping[Any, Any]) -> PovState:
    return PovState(
        row["id"],
        row["title"] or "",
        row["owner"] or "",
        row["hub_only"],
        [
            There(
                one["connection"],
                _word(one),
                one["error"] or "",
                datetime.fromisoformat(one["at"]) if one["at"] else None,
            )
            for one in row["links"] or ()
        ],
        row["waits_since"],
    )


def _word(link: Mapping[str, Any]) -> str:
    """The word of the closed list for a link."""
    if link["error"]:
        return "failed"
    return "synced" if link["status"] == "linked" else "not_linked"
