import json

import pytest
from flask import Flask

from crm_admin import tenancy
from crm_admin.ids import new_id
from crm_admin.launcher.servers import PostgreSQL
from crm_admin.services import doctor, processes
from crm_admin.services.sql import transaction


def _bad(checks: list[doctor.Check]) -> set[str]:
    return {check.name for check in checks if not check.ok}


def test_a_fresh_installation_lacks_only_its_running_parts(in_app: Flask) -> None:
    checks = doctor.examine()

    assert _bad(checks) == {"worker", "scheduler"}
    assert all(check.fix for check in checks if not check.ok)


def test_parts_that_showed_themselves_are_alive(in_app: Flask) -> None:
    processes.beat("worker")
    processes.beat("scheduler")

    assert _bad(doctor.examine()) == set()


def test_an_operation_being_sent_without_its_effect_is_found(in_app: Flask) -> None:
    organization_id = new_id()
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO organization (id, name, slug) VALUES (%s, 'Test', 'test')",
            (organization_id,),
        )
    with tenancy.acting_for(organization_id), transaction() as cursor:
        cursor.execute(
            "INSERT INTO operation (organization_id, run_at, id, side, action, state)"
            " VALUES (%s, now(), %s, 'theirs', 'update', 'sending')",
            (organization_id, new_id()),
        )

    assert "writes_known" in _bad(doctor.examine())


def test_the_command_says_what_is_wrong_and_exits_with_1(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["crm", "doctor", "--json"])

    said = json.loads(result.output)
    assert result.exit_code == 1
    assert said["ok"] is False
    assert {"name", "ok", "message", "fix"} == set(said["checks"][0])


BREAKS = {
    "runs_move": (
        "INSERT INTO sync_run (organization_id, id, connection_id, mode, state, created_at)"
        " VALUES (%(org)s, %(id)s, %(connection)s, 'delta', 'queued', now() - interval '1 hour')"
    ),
    "runs_tell": (
        "INSERT INTO sync_run (organization_id, id, connection_id, mode, state)"
        " VALUES (%(org)s, %(id)s, %(connection)s, 'delta', 'failed')"
    ),
    "counts_add_up": (
        "INSERT INTO sync_run (organization_id, id, connection_id, mode, state, finished_at,"
        " counts) VALUES (%(org)s, %(id)s, %(connection)s, 'delta', 'succeeded', now(),"
        " '{\"theirs_updated\": 3}')"
    ),
    "plans_wait": (
        "WITH run AS (INSERT INTO sync_run (organization_id, id, connection_id, mode, state,"
        " finished_at) VALUES (%(org)s, %(id)s, %(connection)s, 'delta', 'succeeded', now())"
        " RETURNING organization_id, id, created_at)"
        " INSERT INTO operation (organization_id, run_at, id, run_id, side, action, state, label)"
        " SELECT organization_id, created_at, id, id, 'ours', 'update', 'planned', 'Ann' FROM run"
    ),
    "writes_settle": (
        "INSERT INTO effect (organization_id, id, connection_id, run_id, operation_id, run_at,"
        " remote_object, action, state, created_at) VALUES (%(org)s, %(id)s, %(connection)s,"
        " %(id)s, %(id)s, now(), 'contacts', 'update', 'planned', now() - interval '2 hours')"
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_an_invariant_is_named_with_its_place_and_its_mending(
    in_app: Flask, name: str
) -> None:
    organization_id, connection_id = new_id(), new_id()
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO organization (id, name, slug) VALUES (%s, 'Test', 'test')",
            (organization_id,),
        )
    with tenancy.acting_for(organization_id), transaction() as cursor:
        cursor.execute(
            "INSERT INTO connection (organization_id, id, provider, name, name_key, environment,"
            " stance, health) VALUES (%s, %s, 'hubspot', 'HubSpot', 'hubspot', 'simulator',"
            " 'active', 'ok')",
            (organization_id, connection_id),
        )
        named = {"org": organization_id, "id": new_id(), "connection": connection_id}
        cursor.execute(BREAKS[name], named)

    check = next(one for one in doctor.examine() if one.name == name)

    assert (check.ok, check.message[:2], bool(check.fix)) == (False, "1 ", True)
    assert str(named["id"])[-8:] in check.message or "contacts" in check.message


def test_a_guard_of_the_database_that_is_gone_is_missed(in_app: Flask, cluster: PostgreSQL) -> None:
    with cluster.connect("crm_test") as connection:
        connection.execute("ALTER INDEX uq_link_record RENAME TO uq_link_record_away")
    try:
        checks = doctor.examine()
    finally:
        with cluster.connect("crm_test") as connection:
            connection.execute("ALTER INDEX uq_link_record_away RENAME TO uq_link_record")

    found = next(one for one in checks if one.name == "links_one_to_one")
    assert (found.ok, "uq_link_record" in found.message) == (False, True)
