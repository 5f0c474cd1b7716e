"""Ticks: each taken once, put off in quiet hours, left out or caught up when they were missed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from crm_admin import clock, tenancy
from crm_admin.errors import BadInput, NotFound
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.security.permissions import Role
from crm_admin.services import schedules
from crm_admin.services.access import Person
from crm_admin.services.sql import dumps, transaction
from tests import factories


@pytest.fixture
def ana(in_app: Flask) -> Iterator[Person]:
    """An admin at work in an organisation."""
    organization_id = factories.organization()
    person = factories.person(Role.ADMIN, organization_id, name="Ana Silva")
    with tenancy.acting_for(organization_id):
        yield person


@pytest.fixture
def connection(ana: Person) -> UUID:
    made = factories.connection(ana.organization_id, stance="active")
    with transaction() as cursor:
        schedules.add_built_in(cursor, ana.organization_id, made)
    return made


def rows(query: str, *values: object) -> list[dict[str, Any]]:
    with transaction() as cursor:
        return cursor.execute(query, values).fetchall()


def of(job: str) -> dict[str, Any]:
    return rows("SELECT * FROM schedule WHERE job = %s", job)[0]


def change(job: str, **values: object) -> UUID:
    """Give a schedule other values; dicts become JSON."""
    names = ", ".join(f"{name} = %s" for name in values)
    bound = [dumps(value) if isinstance(value, dict) else value for value in values.values()]
    with transaction() as cursor:
        cursor.execute(f"UPDATE schedule SET {names} WHERE job = %s", [*bound, job])
    return UUID(str(of(job)["id"]))


def runs_started() -> int:
    return len(rows("SELECT 1 FROM sync_run"))


def test_a_new_connection_gets_its_recurring_work_once(ana: Person, connection: UUID) -> None:
    schedules.bring_into_line()
    second = factories.connection(ana.organization_id, name="Pipedrive")

    schedules.bring_into_line()

    found = rows("SELECT job, count(*) AS n FROM schedule GROUP BY job ORDER BY job")
    assert {row["job"]: row["n"] for row in found} == {
        "cleanup": 1,
        "delta-sync": 2,
        "detect-conflicts": 1,
        "health-check": 2,
        "retry-failed": 1,
        "token-refresh": 2,
    }
    assert rows("SELECT 1 FROM schedule WHERE connection_id = %s", second)


def test_the_interval_of_a_connection_is_set_and_switched_off(
    ana: Person, connection: UUID
) -> None:
    schedules.set_interval(person=ana, connection_id=connection, minutes=5)
    often = of("delta-sync")

    schedules.set_interval(person=ana, connection_id=connection, minutes=None)

    off = of("delta-sync")
    assert (often["every_seconds"], often["enabled"]) == (300, True)
    assert (off["every_seconds"], off["enabled"]) == (300, False)
    assert len(rows("SELECT 1 FROM audit_event WHERE action = 'schedule.interval'")) == 2


@pytest.mark.parametrize("minutes", [0, -5, 10**9])
def test_an_interval_out_of_range_is_refused(ana: Person, connection: UUID, minutes: int) -> None:
    with pytest.raises(BadInput, match="1 minute"):
        schedules.set_interval(person=ana, connection_id=connection, minutes=minutes)


def test_the_interval_of_an_unknown_connection_is_not_there(ana: Person) -> None:
    with pytest.raises(NotFound):
        schedules.set_interval(person=ana, connection_id=new_id(), minutes=5)


def test_two_loops_take_each_tick_once(in_app: Flask, ana: Person, connection: UUID) -> None:
    with transaction() as cursor:
        cursor.executemany(
            "INSERT INTO schedule (organization_id, id, name, job, cron, next_at)"
            " VALUES (%s, %s, 'Mine', 'cleanup', '0 3 * * *', now() - interval '1 minute')",
            [(ana.organization_id, new_id()) for _ in range(120)],
        )
    together = Barrier(2)

    def loop(_: int) -> list[UUID]:
        found: list[UUID] = []
        with in_app.app_context():
            together.wait()
            while batch := schedules.claim_due():
                found += [one.id for one in batch]
            db.session.remove()
        return found

    with ThreadPoolExecutor(2) as pool:
        taken = [one for found in pool.map(loop, range(2)) for one in found]

    assert len(taken) == len(set(taken)) == 120
    assert not rows("SELECT 1 FROM schedule WHERE cron IS NOT NULL AND next_at <= now()")


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        ({}, 1),
        ({"enabled": False}, 0),
        ({"paused_until": "2100-01-01"}, 0),
        ({"paused_until": "2020-01-01"}, 1),
        ({"catch_up": "none"}, 0),
        ({"catch_up": "none", "next_at": "now"}, 1),
        ({"enabled": False, "asked_at": "2020-01-01"}, 1),
    ],
)
def test_what_is_off_paused_or_missed_is_left_out(
    ana: Person, connection: UUID, values: dict[str, object], taken: int
) -> None:
    change("cleanup", **{"next_at": clock.now() - timedelta(hours=5), **values})

    assert len(schedules.claim_due()) == taken
    assert (of("cleanup")["last_at"] is not None) is bool(taken)


def test_a_tick_starts_a_sync_and_keeps_the_last_ten_outcomes(
    ana: Person, connection: UUID
) -> None:
    schedule_id = UUID(str(of("delta-sync")["id"]))

    for _ in range(12):
        schedules.run(ana.organization_id, schedule_id)

    row = of("delta-sync")
    assert runs_started() == 1
    assert (row["last_outcome"], len(row["outcomes"])) == ("started", 10)
    assert row["outcomes"][0]["run"] == str(row["last_run"])


def test_a_sync_that_must_not_overlap_is_skipped_while_one_is_live(
    ana: Person, connection: UUID
) -> None:
    factories.sync_run(ana.organization_id, connection, state="running")
    schedule_id = change("delta-sync", overlap="skip")

    schedules.run(ana.organization_id, schedule_id)

    row = of("delta-sync")
    assert (row["last_outcome"], runs_started()) == ("skipped", 1)
    assert "still running" in row["outcomes"][0]["say"]


def test_a_schedule_that_asks_first_makes_a_plan(ana: Person, connection: UUID) -> None:
    schedule_id = change("delta-sync", staged=True)

    schedules.run(ana.organization_id, schedule_id)

    assert rows("SELECT staged FROM sync_run") == [{"staged": True}]
    assert of("delta-sync")["last_outcome"] == "planned"


def _quiet_now(zone: str = "UTC") -> dict[str, str]:
    now = clock.now()
    start, end = now - timedelta(hours=1), now + timedelta(hours=1)
    return {"from": f"{start:%H:%M}", "until": f"{end:%H:%M}", "zone": zone}


def test_quiet_hours_put_a_sync_off_until_they_end(ana: Person, connection: UUID) -> None:
    with transaction() as cursor:
        cursor.execute(
            "UPDATE connection SET settings = %s", (dumps({"quiet_hours": _quiet_now()}),)
        )
    schedule_id = UUID(str(of("delta-sync")["id"]))

    schedules.run(ana.organization_id, schedule_id)

    row = of("delta-sync")
    wait: datetime = row["next_at"]
    assert (row["last_outcome"], runs_started()) == ("quiet", 0)
    assert timedelta(minutes=58) < wait - clock.now() <= timedelta(minutes=60)


def test_what_a_person_asks_for_is_done_in_quiet_hours_too(ana: Person, connection: UUID) -> None:
    schedule_id = change("delta-sync", quiet=_quiet_now(), asked_at=clock.now(), enabled=False)

    schedules.run(ana.organization_id, schedule_id)

    row = of("delta-sync")
    assert (row["last_outcome"], row["asked_at"], runs_started()) == ("started", None, 1)


def test_what_failed_is_due_at_once_until_it_failed_three_times(
    ana: Person, connection: UUID
) -> None:
    stream = factories.stream(ana.organization_id, connection)
    for attempts in (0, 1, 2, 3):
        record = factories.record(ana.organization_id)
        with transaction() as cursor:
            cursor.execute(
                "INSERT INTO outbox (organization_id, stream_id, record_id, version, not_before,"
                " attempts) VALUES (%s, %s, %s, 1, now() + interval '1 hour', %s)",
                (ana.organization_id, stream, record, attempts),
            )

    schedules.run(ana.organization_id, UUID(str(of("retry-failed")["id"])))

    due = rows("SELECT attempts FROM outbox WHERE not_before <= now() ORDER BY attempts")
    assert [row["attempts"] for row in due] == [1, 2]


def test_an_unknown_job_ends_as_a_failure_with_a_sentence(ana: Person, connection: UUID) -> None:
    schedule_id = UUID(str(of("cleanup")["id"]))
    with transaction() as cursor:
        cursor.execute("UPDATE schedule SET job = 'dance' WHERE id = %s", (schedule_id,))

    schedules.run(ana.organization_id, schedule_id)

    assert "no such job" in of("dance")["outcomes"][0]["say"]


def test_open_conflicts_that_show_an_old_value_are_looked_at_again(
    ana: Person, connection: UUID
) -> None:
    stream = factories.stream(ana.organization_id, connection)
    held = {"v": "030 1"}
    for phone, deleted in (("030 1", None), ("030 2", None), ("030 1", clock.now())):
        record = factories.record(
            ana.organization_id, data={"phone": phone}, deleted_at=deleted, title=phone
        )
        link = factories.link(ana.organization_id, connection, stream, record)
        factories.conflict(
            ana.organization_id,
            link,
            record,
            stream_id=stream,
            connection_id=connection,
            ours=held,
        )

    schedules.run(ana.organization_id, UUID(str(of("detect-conflicts")["id"])))

    again = rows("SELECT r.title FROM outbox o JOIN record r ON r.id = o.record_id")
    assert again == [{"title": "030 2"}]
    states = rows("SELECT state, count(*) AS n FROM conflict GROUP BY state ORDER BY state")
    assert states == [{"state": "open", "n": 2}, {"state": "superseded", "n": 1}]
    assert of("detect-conflicts")["outcomes"][0]["say"] == "1 looked at again."
