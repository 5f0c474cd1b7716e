"""What a run came to, in the words of the command line and programs."""

from dataclasses import dataclass
from uuid import UUID

from crm_admin.errors import BadInput, NotFound
from crm_admin.jsontypes import Json
from crm_admin.services.sql import Row, transaction

SELECT = """
SELECT r.id, r.mode, r.state, r.counts, r.reason, r.plan_hash, r.staged, c.name,
       coalesce(extract(epoch FROM coalesce(r.finished_at, now()) - coalesce(r.started_at,
       r.created_at)), 0)::float8
       AS seconds,
       greatest(0, coalesce(extract(epoch FROM r.wake_at - now()), 0))::float8 AS wait_seconds
  FROM sync_run r LEFT JOIN connection c ON c.organization_id = r.organization_id AND c.id =
  r.connection_id
"""


@dataclass(frozen=True, slots=True)
class Report:
    """A run's outcome; `ours` and `theirs` hold created, updated, deleted (planned ones while it is
    a plan).
    """

    run: UUID
    connection: str
    mode: str
    state: str
    read: int
    ours: dict[str, int]
    theirs: dict[str, int]
    unchanged: int
    skipped: int
    conflicts: int
    failed: int
    calls: int
    writes_theirs: int
    seconds: float
    message: str
    plan_hash: str
    wait_seconds: float

    def as_json(self) -> dict[str, Json]:
        """Return the shape that `--json` prints."""
        return {
            "run": str(self.run),
            "connection": self.connection,
            "mode": self.mode,
            "state": self.state,
            "read": self.read,
            "ours": self.ours,
            "theirs": self.theirs,
            "unchanged": self.unchanged,
            "skipped": self.skipped,
            "conflicts": self.conflicts,
            "failed": self.failed,
            "calls": self.calls,
            "writes_theirs": self.writes_theirs,
            "seconds": round(self.seconds, 3),
            "message": self.message,
        }


WORDS = (("created", "create"), ("updated", "update"), ("deleted", "delete"))


def report(run_id: UUID) -> Report:
    """Return what a run came to so far; NotFound when there is none of this organisation."""
    with transaction() as cursor:
        row = cursor.execute(SELECT + "WHERE r.id = %s", (run_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such run.")
    return _report(row)


def find(text: str) -> UUID:
    """Return the run that an id, or the end of one as pages show it, names."""
    wanted = text.strip().lower().replace("-", "")
    if not wanted or any(letter not in "0123456789abcdef" for letter in wanted):
        raise BadInput("run", f"{text} is not the id of a run. Copy it from the run's page.")
    with transaction() as cursor:
        rows = cursor.execute(
            "SELECT id FROM sync_run WHERE replace(id::text, '-', '') LIKE %s LIMIT 2",
            (f"%{wanted}",),
        ).fetchall()
    if len(rows) != 1:
        raise NotFound(
            "There is no such run."
            if not rows
            else "Several runs end like this. Give the whole id."
        )
    return UUID(str(rows[0]["id"]))


def _report(row: Row) -> Report:
    counts = row["counts"] or {}
    planned = row["state"] == "planned"
    sides = {
        side: {
            word: int(counts.get(f"plan_{side}_{verb}" if planned else f"{side}_{word}", 0))
            for word, verb in WORDS
        }
        for side in ("ours", "theirs")
    }
    return Report(
        run=row["id"],
        connection=row["name"] or "",
        mode=row["mode"],
        state=row["state"],
        read=int(counts.get("read", 0)),
        ours=sides["ours"],
        theirs=sides["theirs"],
        unchanged=int(counts.get("unchanged", 0)),
        skipped=int(counts.get("skipped", 0)),
        conflicts=int(counts.get("conflicts", 0)),
        failed=int(counts.get("failed", 0)),
        calls=int(counts.get("calls", 0)),
        writes_theirs=int(counts.get("writes_theirs", 0)),
        seconds=row["seconds"],
        message=_message(row, sides),
        plan_hash=row["plan_hash"] or "",
        wait_seconds=row["wait_seconds"],
    )


def _message(row: Row, sides: dict[str, dict[str, int]]) -> str:
    name, counts = row["name"], row["counts"] or {}
    ours, theirs = sum(sides["ours"].values()), sum(sides["theirs"].values())
    written = f"{_changes(ours)} to CRM Admin, {_changes(theirs)} to {name}."
    if row["state"] == "planned":
        return f"Plan ready: {written} Nothing has been written yet."
    if row["state"] in {"queued", "running"}:
        return "It waits for a worker." if row["state"] == "queued" else "It is going on."
    parts = [written] if ours or theirs else []
    conflicts = int(counts.get("conflicts", 0))
    if conflicts:
        parts.append(
            f"{conflicts} {'conflict waits' if conflicts == 1 else 'conflicts wait'} for a person."
        )
    failed = int(counts.get("failed", 0))
    if failed:
        parts.append(f"{'1 record' if failed == 1 else f'{failed} records'} failed.")
    if row["reason"]:
        parts.append(str(row["reason"]))
    return " ".join(parts) or "Both sides agree. Nothing was written."


def _changes(number: int) -> str:
    return "1 change" if number == 1 else f"{number} changes"
