"""Errors as work items: what fails, whom it hits, and which fixes clear how many records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from crm_admin.packs.registry import kinds
from crm_admin.services.access import Person
from crm_admin.services.queries import failures, options
from crm_admin.services.queries.operations import FieldChange, field_changes
from crm_admin.services.queries.options import Meant
from crm_admin.services.queries.sql import Row, rows

RIGHTS = frozenset({"MISSING_SCOPES", "401", "403"})
"""Refusals that a new sign-in at the CRM mends."""

BROKEN = """
SELECT DISTINCT ON (q.connection_id) q.id, q.connection_id, c.name, c.provider, c.health, q.reason,
       q.reason_code, q.state, coalesce(q.finished_at, q.created_at) AS at,
       (SELECT count(*) FROM sync_run w WHERE w.connection_id = q.connection_id
           AND w.state = 'failed' AND w.created_at > now() - make_interval(days => :days)) AS amount
  FROM sync_run q JOIN connection c ON c.id = q.connection_id
 WHERE q.created_at > now() - make_interval(days => :days)
   AND q.state IN ('succeeded', 'partial', 'failed')
 ORDER BY q.connection_id, q.created_at DESC
"""


@dataclass(frozen=True, slots=True)
class Fix:
    """A way to mend an error: `code` names what is done, `clears` the records it is done for.

    map, retry and skip are done here; reconnect, rule and record are pages to go to. `value` is
    what the fix chooses.
    """

    code: str
    label: str
    clears: int
    value: str = ""


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Failures with one cause. `days` counts them per day, oldest first."""

    key: str
    title: str
    provider: str
    object: str
    field: str
    cause: str
    count: int
    povs: int
    first_seen: datetime
    last_seen: datetime
    sample: str
    fixes: Sequence[Fix]
    connection_id: UUID
    connection: str
    side: str
    code: str
    run_id: UUID
    sample_id: UUID | None = None
    sample_kind: str = ""
    sample_fields: Sequence[FieldChange] = ()
    stream_id: UUID | None = None
    owners: Sequence[str] = ()
    deadline: date | None = None
    days: Sequence[int] = ()
    whole: bool = False

    @property
    def technical(self) -> str:
        return "  ".join(part for part in (self.code, self.object, self.field) if part)


def groups(person: Person, *, run_id: UUID | None = None) -> list[ErrorGroup]:
    """Return what fails now and is not made good yet, of one run or of the last 14 days.

    A person who sees only their own POVs is told of these alone. Connections whose newest run
    failed as a whole come first.
    """
    grouped = failures.grouped(person, run_id)
    meant = options.meant(grouped)
    found = [
        _group(row, meant.get((row["connection_id"], row["remote_object"], row["field"])))
        for row in grouped
    ]
    if run_id is not None or person.sees_own_povs_only:
        return found
    broken = (row for row in rows(BROKEN, days=failures.DAYS) if row["state"] == "failed")
    return [*(_broken(row) for row in broken), *found]


def _group(row: Row, meant: Meant | None) -> ErrorGroup:
    return ErrorGroup(
        key=failures.key_of(row),
        title=_title(row),
        provider=row["provider"],
        object=row["remote_object"] or "",
        field=row["field"],
        cause=row["error"] or "It failed without a reason.",
        count=row["amount"],
        povs=row["povs"],
        first_seen=row["first_at"],
        last_seen=row["last_at"],
        sample=row["sample"] or "Untitled",
        fixes=_fixes(row, meant),
        connection_id=row["connection_id"],
        connection=row["connection"],
        side=row["side"],
        code=row["code"],
        run_id=row["sample_run"],
        sample_id=row["sample_id"],
        sample_kind=row["sample_kind"] or "",
        sample_fields=field_changes(row["sample_fields"]),
        stream_id=row["stream_id"],
        owners=row["owners"] or (),
        deadline=row["deadline"],
        days=_per_day(row["ages"]),
    )


def _title(row: Row) -> str:
    what = _amount_of(row["kind"] or "", row["amount"])
    if row["side"] == "theirs":
        return f"{row['connection']} refused {what}"
    return f"{what[:1].upper()}{what[1:]} of {row['connection']} could not be taken"


def _amount_of(kind: str, amount: int) -> str:
    if kind not in kinds():
        return "1 record" if amount == 1 else f"{amount:,} records".replace(",", "\u202f")
    label = kinds()[kind].label if amount == 1 else kinds()[kind].plural
    word = label if label[1:2].isupper() else label[:1].lower() + label[1:]
    return f"{amount:,} {word}".replace(",", "\u202f")


def _fixes(row: Row, meant: Meant | None) -> tuple[Fix, ...]:
    amount = row["amount"]
    found = []
    if meant is not None and meant.value == options.refused_value(row):
        words = f"Map {meant.value} to {meant.option.label} (clears {amount})"
        found.append(Fix("map", words, amount, meant.option.value))
    if row["health"] == "needs_reconnect" or row["code"] in RIGHTS:
        found.append(Fix("reconnect", f"Reconnect {row['connection']}", amount))
    found.append(Fix("retry", f"Retry now ({amount})", amount))
    if row["linked"]:
        found.append(Fix("skip", f"Skip until the value changes ({row['linked']})", row["linked"]))
    if row["field"] and row["stream_id"]:
        found.append(Fix("rule", f"Look at the rule of {row['field']}", amount))
    if row["sample_id"]:
        found.append(Fix("record", f"Open {row['sample'] or 'the record'}", 1))
    return tuple(found)


def _per_day(ages: Sequence[int]) -> tuple[int, ...]:
    days = [0] * failures.DAYS
    for age in ages:
        days[failures.DAYS - 1 - max(0, age)] += 1
    return tuple(days)


def _broken(row: Row) -> ErrorGroup:
    reason = row["reason"] or "The run ended before it reached a record."
    reconnect = Fix("reconnect", f"Reconnect {row['name']}", row["amount"])
    return ErrorGroup(
        key=f"connection-{row['connection_id'].hex[-12:]}",
        title=f"Syncs of {row['name']} fail as a whole",
        provider=row["provider"],
        object="",
        field="",
        cause=reason,
        count=row["amount"],
        povs=0,
        first_seen=row["at"],
        last_seen=row["at"],
        sample="",
        fixes=(reconnect,) if row["health"] == "needs_reconnect" else (),
        connection_id=row["connection_id"],
        connection=row["name"],
        side="",
        code=row["reason_code"] or "",
        run_id=row["id"],
        whole=True,
    )
