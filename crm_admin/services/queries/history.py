"""The history of runs: a page of it under its filters, how the week went, and each of 14 days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from crm_admin.clock import now
from crm_admin.services.access import Person
from crm_admin.services.queries import brief, paging
from crm_admin.services.queries.runs import COLUMNS, RunLine, run_line
from crm_admin.services.queries.sql import Row, only, rows
from crm_admin.sync.states import RunMode, RunState

VIEWS = ("failed", "mine", "conflicts")
DAYS = 14
LOOKED_AT = 10_000
"""A search looks at this many of the newest runs."""

FOUND = """r.id IN (
  SELECT n.id FROM (
         SELECT id, by_name FROM sync_run ORDER BY created_at DESC LIMIT :looked_at) n
   WHERE strpos(lower(coalesce(n.by_name, '')), :query) > 0 OR CAST(n.id AS text) = :query
      OR right(replace(CAST(n.id AS text), '-', ''), 8) = :query)"""

PARTS = {
    "status": "r.state = :status",
    "connection": "r.connection_id = CAST(:connection AS uuid)",
    "mode": "r.mode = :mode",
    "failed": "r.state IN ('failed', 'partial') AND r.created_at >= :today",
    "mine": "r.by_user = :me",
    "conflicts": "CAST(r.counts ->> 'conflicts' AS bigint) > 0",
    "query": FOUND,
    "after": "(r.created_at, r.id) < (CAST(:moment AS timestamptz), CAST(:id AS uuid))",
}
"""Each filter by its own condition, so that an unused one does not stand in an index's way."""

WEEK = """
SELECT count(*) AS total, count(*) FILTER (WHERE state = 'succeeded') AS good,
       max(finished_at) FILTER (WHERE state IN ('failed', 'partial')) AS last_failure,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at))
         AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at))
         AS p95,
       (SELECT count(*) FROM sync_run WHERE state IN ('queued', 'running', 'waiting')) AS live,
       (SELECT count(*) FROM sync_run WHERE state IN ('failed', 'partial')
           AND created_at >= :today) AS failed_today
  FROM sync_run
 WHERE created_at > now() - interval '7 days' AND state IN ('succeeded', 'partial', 'failed',
   'cancelled')
"""

PER_DAY = """
SELECT CAST(r.created_at AT TIME ZONE :zone AS date) AS day,
       sum(coalesce(CAST(r.counts ->> 'ours_created' AS bigint), 0)
         + coalesce(CAST(r.counts ->> 'ours_updated' AS bigint), 0)
         + coalesce(CAST(r.counts ->> 'ours_deleted' AS bigint), 0)
         + coalesce(CAST(r.counts ->> 'theirs_created' AS bigint), 0)
         + coalesce(CAST(r.counts ->> 'theirs_updated' AS bigint), 0)
         + coalesce(CAST(r.counts ->> 'theirs_deleted' AS bigint), 0)) AS written,
       sum(coalesce(CAST(r.counts ->> 'failed' AS bigint), 0)) AS failed,
       count(*) AS runs
  FROM sync_run r WHERE r.created_at > now() - make_interval(days => :days) GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the history is narrowed to; "" means any. `today` is when the person's day began."""

    status: str = ""
    connection: str = ""
    mode: str = ""
    view: str = ""
    query: str = ""
    today: datetime | None = None

    @property
    def active(self) -> bool:
        return bool(self.status or self.connection or self.mode or self.view or self.query)


@dataclass(frozen=True, slots=True)
class Week:
    """How the last seven days went: runs that ended, and the seconds they took."""

    total: int
    good: int
    last_failure: datetime | None
    p50: float | None
    p95: float | None
    live: int
    failed_today: int

    @property
    def percent(self) -> int:
        """Return the share of good runs, rounded down: 100 means every one."""
        return self.good * 100 // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    written: int
    failed: int
    runs: int


@dataclass(frozen=True, slots=True)
class History:
    runs: Sequence[RunLine]
    after: str
    connections: Sequence[tuple[str, str]]
    week: Week
    filters: Filters


def filters_of(
    *,
    status: str = "",
    connection: str = "",
    mode: str = "",
    view: str = "",
    query: str = "",
    today: datetime | None = None,
) -> Filters:
    """Return filters as an address names them; a made-up value means any."""
    try:
        checked = str(UUID(connection)) if connection else ""
    except ValueError:
        checked = ""
    return Filters(
        status=status if status in set(RunState) else "",
        connection=checked,
        mode=mode if mode in set(RunMode) else "",
        view=view if view in VIEWS else "",
        query=query.strip().lower()[:200],
        today=today,
    )


def history(person: Person, filters: Filters, after: str = "") -> History:
    """Return one page of the runs under these filters, newest first, with how the week went."""
    lines, further = listed(person, filters, after)
    return History(
        runs=lines,
        after=further,
        connections=[
            (str(row["id"]), row["name"])
            for row in rows("SELECT id, name FROM connection ORDER BY name")
        ],
        week=week(filters.today),
        filters=filters,
    )


def listed(
    person: Person, filters: Filters, after: str = "", *, amount: int = paging.PAGE
) -> tuple[list[RunLine], str]:
    """Return one page of runs and the place where the next begins."""
    place = paging.decode(after)
    wanted = {
        "status": filters.status,
        "connection": filters.connection,
        "mode": filters.mode,
        filters.view or "none": filters.view,
        "query": filters.query,
        "after": after,
    }
    parts = [PARTS[name] for name, value in wanted.items() if value]
    where = f"WHERE {' AND '.join(parts)}" if parts else ""
    found = rows(
        f"{COLUMNS} {where} ORDER BY r.created_at DESC, r.id DESC LIMIT :amount",
        **_used(
            where,
            {
                "status": filters.status,
                "connection": filters.connection,
                "mode": filters.mode,
                "query": filters.query,
                "looked_at": LOOKED_AT,
                "today": filters.today or now() - timedelta(days=1),
                "me": person.user_id,
                "moment": place.value if place else None,
                "id": place.id if place else None,
            },
        ),
        amount=amount + 1,
    )
    lines = [run_line(row) for row in found[:amount]]
    more = len(found) > amount
    return lines, paging.encode(lines[-1].created_at.isoformat(), lines[-1].id) if more else ""


def _used(where: str, values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if f":{name}" in where}


def all_runs(person: Person, filters: Filters) -> Iterator[RunLine]:
    """Give every run under these filters, a thousand read at a time."""
    after = ""
    while True:
        lines, after = listed(person, filters, after, amount=1_000)
        yield from lines
        if not after:
            return


def week(today: datetime | None = None) -> Week:
    """Return how the last seven days went."""
    row = brief.remembered(
        ("week", today), lambda: only(WEEK, today=today or now() - timedelta(days=1))
    )
    return Week(
        row["total"],
        row["good"],
        row["last_failure"],
        _seconds(row["p50"]),
        _seconds(row["p95"]),
        row["live"],
        row["failed_today"],
    )


def _seconds(value: object) -> float | None:
    return None if value is None else float(str(value))


def per_day(zone: str, today: date) -> tuple[Day, ...]:
    """Return what was written and what failed on each of the last 14 days of that zone."""
    found: dict[date, Row] = {row["day"]: row for row in brief.rows(PER_DAY, zone=zone, days=DAYS)}
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    return tuple(
        Day(day, int(found[day]["written"]), int(found[day]["failed"]), found[day]["runs"])
        if day in found
        else Day(day, 0, 0, 0)
        for day in days
    )
