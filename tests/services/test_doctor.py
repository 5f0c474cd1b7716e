import json

from flask import Flask

from crm_admin import tenancy
from crm_admin.ids import new_id
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
