"""A CRM that asks to wait: the run waits, and what waited is decided again before it is sent."""

from flask import current_app

from crm_admin import dispatch
from tests.services.engine.conftest import Desk, HubSpot


def test_an_edit_there_while_a_write_waited_is_not_overwritten(
    desk: Desk, hubspot: HubSpot
) -> None:
    remote = hubspot.add("contacts", email="ann@example.test", firstname="Ann", city="Porto")
    desk.sync("full")
    record = desk.rows("SELECT id FROM record")[0]["id"]
    desk.edit(record, city="Lisboa")
    hubspot.fail(
        {
            "method": "POST",
            "path": ".*batch/update.*",
            "fault": "429",
            "times": 1,
            "seconds": 60,
        }
    )
    waiting = desk.sync("delta")
    assert waiting.state == "waiting"
    hubspot.fail()
    hubspot.edit("contacts", remote, city="Braga")
    dispatch.client(current_app.config["CRM"].redis_url).flushdb()
    desk.change("UPDATE sync_run SET wake_at = now() WHERE state = 'waiting'")

    done = desk.work(waiting.run)

    assert done.state == "succeeded"
    kept = desk.rows("SELECT ours, theirs FROM conflict WHERE field = 'city'")
    assert [(row["ours"]["v"], row["theirs"]["v"]) for row in kept] == [("Lisboa", "Braga")]
