"""The runs of the proof, each in a process of its own, so that its memory is its own too."""

import json
import sys
from typing import Any
from uuid import UUID

from bench.meter import Meter, figures
from bench.sync_ours import Desk, make_desk
from bench.world import worker_app
from crm_admin import config, tenancy
from crm_admin.security.permissions import Role
from crm_admin.services.access import Person
from crm_admin.services.runs import Report
from crm_admin.services.sql import transaction

OPERATIONS = """
SELECT count(*) AS n FROM operation o
  JOIN sync_run r ON r.organization_id = o.organization_id AND r.id = o.run_id
   AND r.created_at = o.run_at
 WHERE r.id = %s
"""


def desk_of(asked: dict[str, str]) -> Desk:
    """Return the desk that an earlier process made."""
    person = Person(UUID(asked["user"]), "Bench", Role.ADMIN, UUID(asked["organization"]))
    return Desk(person, UUID(asked["connection"]))


def made(url: str) -> dict[str, str]:
    """Make a desk and say how to find it again."""
    desk = make_desk(url)
    return {
        "organization": str(desk.person.organization_id),
        "user": str(desk.person.user_id),
        "connection": str(desk.connection_id),
    }


def told(report: Report, meter: Meter) -> dict[str, Any]:
    """Return what a run did; `writes` are those on our side."""
    with transaction() as cursor:
        row = cursor.execute(OPERATIONS, (report.run,)).fetchone()
        counts = cursor.execute(
            "SELECT counts FROM sync_run WHERE id = %s", (report.run,)
        ).fetchone()
    return {
        "run": str(report.run),
        "read": report.read,
        "created": report.ours["created"],
        "linked": int(((counts or {}).get("counts") or {}).get("linked", 0)),
        "deleted": report.ours["deleted"],
        "unchanged": report.unchanged,
        "skipped": report.skipped,
        "writes": sum(report.ours.values()),
        "writes_theirs": report.writes_theirs,
        "operations": row["n"] if row else 0,
        "figures": figures(meter, max(1, report.read or report.ours["deleted"])),
    }


def take(asked: dict[str, str]) -> dict[str, Any]:
    """Take one step and return what it says."""
    if asked["step"] == "desk":
        return made(asked["url"])
    desk = desk_of(asked)
    with tenancy.acting_for(desk.person.organization_id):
        if asked["step"] == "undo":
            return told(*desk.undo(UUID(asked["run"])))
        return told(*desk.sync(asked["step"]))


def main() -> None:
    """Take the step in the first argument and print one JSON line."""
    with worker_app(config.load()).app_context():
        print(json.dumps(take(json.loads(sys.argv[1]))))


if __name__ == "__main__":
    main()
