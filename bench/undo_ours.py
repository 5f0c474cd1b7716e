"""CRM Admin in the measurement of an undo: each part in its own process, so that the peak is the
part's own.
"""

import json
import sys
from typing import Any
from uuid import UUID

from bench.meter import figures
from bench.sync_ours import Desk, make_desk
from bench.world import worker_app
from crm_admin import config, tenancy
from crm_admin.security.permissions import Role
from crm_admin.services.access import Person
from crm_admin.services.sql import transaction

EDIT = """
UPDATE record
   SET data = data || jsonb_build_object('job_title', 'Head of measure ' || right(id::text, 6)),
       version = version + 1, updated_at = now()
 WHERE kind = 'contact' AND deleted_at IS NULL
"""

WAITS = """
INSERT INTO outbox (organization_id, stream_id, record_id, version, rank, not_before, attempts,
       created_at)
SELECT r.organization_id, s.id, r.id, r.version, 1, now(), 0, now()
  FROM record r JOIN stream s ON s.organization_id = r.organization_id AND s.kind = r.kind
 WHERE r.kind = 'contact'
ON CONFLICT DO NOTHING
"""


def pull(url: str) -> dict[str, Any]:
    """Return a desk whose contacts were pulled, and that run."""
    desk = make_desk(url)
    with tenancy.acting_for(desk.person.organization_id):
        report, _ = desk.sync("full")
    return {
        "organization": str(desk.person.organization_id),
        "user": str(desk.person.user_id),
        "connection": str(desk.connection_id),
        "run": str(report.run),
    }


def send(desk: Desk) -> dict[str, Any]:
    """Edit one field of every record at once, send it, and return the run that did."""
    with transaction() as cursor:
        cursor.execute(EDIT)
        cursor.execute(WAITS)
    report, meter = desk.sync("delta")
    return {"run": str(report.run), **figures(meter, max(1, report.theirs["updated"]))}


def undo(desk: Desk, run_id: UUID) -> dict[str, Any]:
    """Take a run back and return what that cost, and how much the next full run does about it."""
    report, meter = desk.undo(run_id)
    if report.state != "succeeded":
        raise SystemExit(f"The undo ended as {report.state}: {report.message}")
    undone = report.theirs["updated"] + report.ours["deleted"]
    measured = {**figures(meter, max(1, undone)), "undone": undone, "calls": report.calls}
    after, _ = desk.sync("full")
    return {**measured, "fought": sum(after.ours.values()) + sum(after.theirs.values())}


def main() -> None:
    """Do the part that the first argument names and print one JSON line."""
    asked = json.loads(sys.argv[1])
    with worker_app(config.load()).app_context():
        if asked["do"] == "pull":
            print(json.dumps(pull(asked["url"])))
            return
        organization_id = UUID(asked["organization"])
        person = Person(UUID(asked["user"]), "Bench", Role.ADMIN, organization_id)
        desk = Desk(person, UUID(asked["connection"]))
        with tenancy.acting_for(organization_id):
            done = send(desk) if asked["do"] == "send" else undo(desk, UUID(asked["run"]))
        print(json.dumps(done))


if __name__ == "__main__":
    main()
