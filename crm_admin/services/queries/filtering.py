"""What a list of records is narrowed to, as conditions that an index serves under row-level
security."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from crm_admin.packs.registry import kinds
from crm_admin.records.sortable import sortable
from crm_admin.services.access import Person
from crm_admin.services.queries import scope
from crm_admin.services.queries.find import SHARED
from crm_admin.services.queries.sql import rows

MOST_FOUND = 200
"""A search shows at most this many."""
FEW = 5_000
"""So many records of one value are looked up one by one; more are met on the way soon enough."""
WINDOW = 10_000
"""What no index knows is looked for in so many of the newest records only."""

OF_KIND = "r.kind = :kind AND r.deleted_at IS NULL AND r.merged_into IS NULL"

FIND = f"""
SELECT record_id FROM search_records(CAST(:query AS text), ARRAY[CAST(:kind AS text)],
       CAST(:owner AS uuid), CAST(:most AS integer))
UNION
SELECT r.id FROM record r WHERE r.kind = :kind AND r.external_id = :query
UNION
SELECT l.record_id FROM link l JOIN stream s ON s.connection_id = l.connection_id
   AND s.remote_object = l.remote_object WHERE l.remote_id = :query AND s.kind = :kind
UNION
({SHARED})
"""  # noqa: S608 - only a statement of ours is pasted in

FOLLOWED = """
SELECT CAST(substr(p.name, 8) AS uuid) AS id FROM preference p
 WHERE p.user_id = :me AND starts_with(p.name, 'follow:') LIMIT :most
"""

FAILED = """
SELECT DISTINCT l.record_id AS id FROM stream s
  JOIN link l ON l.connection_id = s.connection_id AND l.stream_id = s.id
 WHERE s.kind = :kind AND l.error IS NOT NULL AND l.error <> '' LIMIT :most
"""

OF_VALUE = """
SELECT record_id AS id FROM record_value
 WHERE kind = :kind AND field = :field AND value = :value LIMIT :most
"""

FILTERABLE = "SELECT name, type FROM field_def WHERE kind = :kind AND filterable"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; "" means any. `fields` are values of fields without a plain column."""

    query: str = ""
    status: str = ""
    view: str = ""
    sort: str = "updated"
    mine: bool = False
    owner: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        return bool(self.query or self.status or self.owner or self.fields)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Conditions on `record r` with their values. `late` is for a window `w` of the newest records
    only; `ids` is whom it can be at all, None for anybody.
    """

    where: str
    late: str
    values: Mapping[str, object]
    ids: tuple[UUID, ...] | None


class _Narrowing:
    def __init__(self, person: Person, kind: str) -> None:
        self.kind = kind
        self.early = [OF_KIND]
        self.late: list[str] = []
        self.values: dict[str, object] = {"kind": kind}
        self.ids: tuple[UUID, ...] | None = None
        owner = scope.owner_of(person)
        if owner is not None:
            self.early.append(scope.IS_OWNED)
            self.values["owner"] = owner

    def among(self, ids: list[UUID]) -> None:
        """Leave these records only."""
        if self.ids is None:
            self.ids = tuple(ids)
        else:
            known = set(ids)
            self.ids = tuple(one for one in self.ids if one in known)

    def equals(self, column: str, name: str, value: object) -> None:
        self.early.append(f"{column} = :{name}")
        self.values[name] = value

    def by_value(self, number: int, name: str, value: str) -> None:
        """Leave records whose filterable field has this value."""
        known = rows(OF_VALUE, kind=self.kind, field=name, value=value, most=FEW + 1)
        if len(known) <= FEW:
            self.among([row["id"] for row in known])
            return
        self.early.append(
            "EXISTS (SELECT 1 FROM record_value v WHERE v.record_id = r.id"  # noqa: S608 - numbers
            f" AND v.field = :field{number} AND v.value = :value{number})"
        )
        self.values |= {f"field{number}": name, f"value{number}": value}

    def by_data(self, number: int, name: str, value: str) -> None:
        """Leave records of the window whose field reads like this."""
        self.late.append(
            f"lower(coalesce(r.data -> :field{number} ->> 'amount', r.data ->> :field{number}))"
            f" = lower(:value{number})"
        )
        self.values |= {f"field{number}": name, f"value{number}": value}

    def done(self) -> Narrowed:
        if self.ids is not None:
            self.early.append("r.id = ANY(CAST(:ids AS uuid[]))")
            self.values["ids"] = list(self.ids)
        return Narrowed(" AND ".join(self.early), " AND ".join(self.late), self.values, self.ids)


def narrowed(person: Person, kind: str, filters: Filters) -> Narrowed:
    """Return the filters as conditions; what a person may not see stays out by itself."""
    found = _Narrowing(person, kind)
    if filters.mine:
        found.equals("r.owner_id", "mine", person.user_id)
    if filters.owner:
        found.equals("r.owner_id", "owned_by", _id(filters.owner))
    if filters.status:
        found.equals("r.status", "status", filters.status)
    query = filters.query.strip()[:200]
    if query:
        owner = scope.owner_of(person)
        hits = rows(FIND, kind=kind, query=query, owner=owner, most=MOST_FOUND)
        found.among([row["record_id"] for row in hits])
    _by_view(found, person, filters.view)
    _by_fields(found, filters.fields)
    return found.done()


def _by_view(found: _Narrowing, person: Person, view: str) -> None:
    if view == "following":
        followed = rows(FOLLOWED, me=person.user_id, most=MOST_FOUND)
        found.among([row["id"] for row in followed])
    elif view == "failed":
        found.among([row["id"] for row in rows(FAILED, kind=found.kind, most=WINDOW)])
    elif view == "missing":
        found.late.append(
            "NOT EXISTS (SELECT 1 FROM link l WHERE l.record_id = w.id AND l.status = 'linked')"
        )


def _by_fields(found: _Narrowing, fields: Mapping[str, str]) -> None:
    if not fields:
        return
    filterable = {row["name"]: row["type"] for row in rows(FILTERABLE, kind=found.kind)}
    declared = {one.name: one for one in kinds()[found.kind].fields}
    for number, (name, value) in enumerate(sorted(fields.items())):
        if name in filterable:
            type_name = declared[name].type if name in declared else filterable[name]
            found.by_value(number, name, sortable(type_name, value))
        else:
            found.by_data(number, name, value)


def _id(text: str) -> UUID:
    """A made-up id is nobody's."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
