"""CRM Admin in the sync measurement: the worker's own path, in one process."""

import json
import sys
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bench.meter import Meter, figures, metered
from bench.world import worker_app
from crm_admin import config, tenancy
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from crm_admin.services import connections, records, runs, sync_runs, undo
from crm_admin.services.access import Person
from crm_admin.services.engine import run as engine
from crm_admin.services.runs import Report
from crm_admin.services.sql import transaction
from crm_admin.services.streams import default_choices
from crm_admin.simulators.hubspot.settings import DEMO_TOKEN

EDITED = 150
LIVE = {"queued", "running", "waiting"}
TIMES = 5


@dataclass(frozen=True, slots=True)
class Desk:
    """An organisation with one active connection whose contacts are synced."""

    person: Person
    connection_id: UUID

    def work(self, run_id: UUID) -> Report:
        """Work on a run as jobs do, in slices of time, until it is over."""
        while (report := runs.report(run_id)).state in LIVE:
            time.sleep(report.wait_seconds)
            engine.execute(self.person.organization_id, run_id)
        return report

    def sync(self, mode: str) -> tuple[Report, Meter]:
        """Return the report of a run and what it cost."""
        asked = sync_runs.start(
            person=self.person,
            connection_id=self.connection_id,
            mode=mode,
            staged=False,
            wake=False,
        )
        with metered() as meter:
            report = self.work(asked.id)
        if report.state != "succeeded":
            raise SystemExit(f"The {mode} run ended as {report.state}: {report.message}")
        return report, meter

    def undo(self, run_id: UUID) -> tuple[Report, Meter]:
        """Take a run back and return what that cost."""
        asked = undo.start(person=self.person, run_id=run_id, wake=False)
        with metered() as meter:
            report = self.work(asked.id)
        return report, meter

    def edit(self, count: int) -> None:
        """Change one field of each of so many records, as a person would."""
        with transaction() as cursor:
            rows = cursor.execute(
                "SELECT id, version FROM record ORDER BY id LIMIT %s", (count,)
            ).fetchall()
        for number, row in enumerate(rows):
            records.save(
                person=self.person,
                record_id=row["id"],
                changes={"job_title": f"Head of measure {number}"},
                seen_version=row["version"],
            )


def make_desk(url: str) -> Desk:
    """Return a new organisation connected to the simulator at that address."""
    organization_id, user_id = new_id(), new_id()
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO organization (id, name, slug) VALUES (%s, 'Bench', %s)",
            (organization_id, str(organization_id)),
        )
        email = f"{user_id}@example.test"
        cursor.execute(
            "INSERT INTO app_user (id, email, email_key, name) VALUES (%s, %s, %s, 'Bench')",
            (user_id, email, email),
        )
    person = Person(user_id, "Bench", Role.ADMIN, organization_id)
    with tenancy.acting_for(organization_id):
        connection_id = connections.create(
            person=person,
            provider="hubspot",
            name="HubSpot",
            environment="simulator",
            endpoint=url,
            secrets={"access_token": DEMO_TOKEN},
            settings={},
        )
        choices = default_choices("hubspot", ["contacts"])
        connections.choose_streams(person=person, connection_id=connection_id, choices=choices)
        connections.set_stance(person=person, connection_id=connection_id, stance="active")
    return Desk(person, connection_id)


def quiet_delta(desk: Desk) -> dict[str, Any]:
    """Return the best of some deltas with nothing to do: what other people do only adds."""
    taken = [desk.sync("delta") for _ in range(TIMES)]
    return {
        "calls": max(report.calls for report, _ in taken),
        "writes": sum(report.writes_theirs + report.ours["updated"] for report, _ in taken),
        "seconds": round(min(meter.seconds for _, meter in taken), 4),
    }


def measure(url: str, few_url: str) -> dict[str, Any]:
    """Return every figure of ours."""
    few = make_desk(few_url)
    with tenancy.acting_for(few.person.organization_id):
        few.sync("full")
    desk = make_desk(url)
    with tenancy.acting_for(desk.person.organization_id):
        first, meter = desk.sync("full")
        second, again = desk.sync("full")
        quiet = quiet_delta(desk)
        desk.edit(EDITED)
        edited, delta = desk.sync("delta")
        taken_back, undoing = desk.undo(first.run)
    with tenancy.acting_for(few.person.organization_id):
        quiet_few = quiet_delta(few)
    return {
        **figures(meter, first.read),
        "created": first.ours["created"],
        "calls": first.calls,
        "second_pass": figures(again, second.read) | {"calls": second.calls},
        "writes_second_pass": second.writes_theirs
        + second.ours["created"]
        + second.ours["updated"],
        "edited": {
            "records": edited.theirs["updated"],
            "calls": edited.calls,
            "seconds": round(delta.seconds, 3),
        },
        "quiet_at_1000": quiet_few,
        "quiet_at_all": quiet,
        "undo": {
            "deleted": taken_back.ours["deleted"],
            "calls": taken_back.calls,
            **figures(undoing, first.read),
        },
    }


def main() -> None:
    """Measure with the addresses in the first argument and print one JSON line."""
    asked = json.loads(sys.argv[1])
    with worker_app(config.load()).app_context():
        print(json.dumps(measure(asked["url"], asked["few_url"])))


if __name__ == "__main__":
    main()
