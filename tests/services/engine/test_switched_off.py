"""CRM_ENABLED=false: plans can be made, and nothing is written on either side."""

from dataclasses import replace

import pytest
from flask import Flask

from crm_admin.errors import BadInput, Stale
from crm_admin.services import plans, sync_runs, undo
from tests.services.engine.conftest import Desk, HubSpot


def test_nothing_is_written_while_writing_is_switched_off(
    in_app: Flask, desk: Desk, hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    hubspot.add("contacts", email="ann@example.test", firstname="Ann")
    first = desk.sync("full")
    record = desk.add("contact", first_name="Bo", email="bo@example.test")
    before = len(hubspot.writes())
    off = replace(in_app.config["CRM"], crm_enabled=False)
    monkeypatch.setitem(in_app.config, "CRM", off)

    plan = desk.sync("full")
    with pytest.raises(Stale, match="CRM_ENABLED"):
        plans.approve(person=desk.person, run_id=plan.run, plan_hash=plan.plan_hash, wake=False)
    with pytest.raises(BadInput, match="CRM_ENABLED"):
        sync_runs.sync_record(person=desk.person, record_id=record)
    undone = desk.work(undo.start(person=desk.person, run_id=first.run, wake=False).id)

    assert (plan.state, plan.theirs["created"]) == ("planned", 1)
    assert (undone.state, "CRM_ENABLED" in undone.message) == ("failed", True)
    assert len(hubspot.writes()) == before
    assert len(desk.rows("SELECT 1 FROM record WHERE deleted_at IS NULL")) == 2
