"""Lists that stay quick at any number of records: what they find by, and what they say."""

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin import tenancy
from crm_admin.database import Role as DatabaseRole
from crm_admin.database import engine_for
from crm_admin.errors import BadInput, NotAllowed
from crm_admin.extensions import db
from crm_admin.launcher.servers import PostgreSQL
from crm_admin.packs.registry import kinds
from crm_admin.security.permissions import Role
from crm_admin.services import field_defs, records
from crm_admin.services.access import Person
from crm_admin.services.queries import brief, listing
from crm_admin.services.record_store import NewRecord, insert_records
from crm_admin.services.sql import transaction
from tests import factories


@pytest.fixture
def ana(in_app: Flask) -> Person:
    return factories.person(Role.ADMIN, factories.organization())


def _deal(ana: Person, name: str, **data: object) -> UUID:
    with transaction() as cursor:
        made = NewRecord(factories.new_id(), kinds()["deal"], {"name": name, **data})
        insert_records(cursor, ana.organization_id, [made])
    return made.record_id


def _found(ana: Person, **filters: object) -> list[str]:
    found = listing.listed(ana, "deal", listing.Filters(**filters), "")
    return [row["title"] for row in found.rows]


def test_a_field_is_filtered_by_before_and_after_it_is_marked(ana: Person) -> None:
    with tenancy.acting_for(ana.organization_id):
        _deal(ana, "One", deal_type="Renewal")
        _deal(ana, "Two", deal_type="upsell")
        asked = {"fields": {"deal_type": "renewal"}}

        before = listing.listed(ana, "deal", listing.Filters(**asked), "")
        marked = field_defs.mark_filterable(person=ana, kind="deal", field="deal_type")
        _deal(ana, "Three", deal_type="RENEWAL")
        after = listing.listed(ana, "deal", listing.Filters(**asked), "")

    assert [row["title"] for row in before.rows] == ["One"]
    assert before.window == 10_000
    assert marked.records == 2
    assert {row["title"] for row in after.rows} == {"One", "Three"}
    assert after.window is None


def test_an_edit_moves_a_record_to_its_new_value(ana: Person) -> None:
    with tenancy.acting_for(ana.organization_id):
        field_defs.mark_filterable(person=ana, kind="deal", field="deal_type")
        deal = _deal(ana, "One", deal_type="renewal")

        records.save(person=ana, record_id=deal, changes={"deal_type": "upsell"}, seen_version=1)

        assert _found(ana, fields={"deal_type": "upsell"}) == ["One"]
        assert _found(ana, fields={"deal_type": "renewal"}) == []


def test_a_field_that_is_no_longer_filterable_keeps_no_values(ana: Person) -> None:
    with tenancy.acting_for(ana.organization_id):
        _deal(ana, "One", deal_type="renewal")
        field_defs.mark_filterable(person=ana, kind="deal", field="deal_type")

        field_defs.unmark_filterable(person=ana, kind="deal", field="deal_type")

        kept = db.session.execute(text("SELECT count(*) FROM record_value")).scalar()
        assert (kept, field_defs.filterable("deal")) == (0, ())


@pytest.mark.parametrize(
    ("kind", "field", "said"),
    [
        ("deal", "amount", "already"),
        ("deal", "company", "more than one short value"),
        ("deal", "nothing", "has no field"),
        ("nothing", "name", "no records of the type"),
    ],
)
def test_a_field_that_cannot_be_filterable_is_refused(
    ana: Person, kind: str, field: str, said: str
) -> None:
    with tenancy.acting_for(ana.organization_id), pytest.raises(BadInput) as refused:
        field_defs.mark_filterable(person=ana, kind=kind, field=field)

    assert said in refused.value.sentence


def test_a_sixth_field_is_refused_and_others_may_not_mark(ana: Person) -> None:
    with tenancy.acting_for(ana.organization_id):
        for field in ("job_title", "city", "country", "language", "state"):
            field_defs.mark_filterable(person=ana, kind="contact", field=field)

        with pytest.raises(BadInput, match="Take one of them off"):
            field_defs.mark_filterable(person=ana, kind="contact", field="website")
        viewer = factories.person(Role.VIEWER, ana.organization_id)
        with pytest.raises(NotAllowed):
            field_defs.mark_filterable(person=viewer, kind="deal", field="deal_type")


def test_the_command_line_marks_a_field_and_shows_it(app: Flask, ana: Person) -> None:
    run = app.test_cli_runner()

    marked = run.invoke(args=["crm", "fields", "filterable", "deal", "deal_type"])
    shown = run.invoke(args=["crm", "fields", "filterable", "deal"])

    assert marked.output == "0 records of deal have a value for deal_type.\n"
    assert shown.output == "deal_type\n"


def test_a_list_is_narrowed_by_owner_stage_and_a_made_up_owner(ana: Person) -> None:
    with tenancy.acting_for(ana.organization_id):
        _deal(ana, "Mine", owner=str(ana.user_id), stage="won")
        _deal(ana, "Nobody's", stage="won")

        assert _found(ana, owner=str(ana.user_id), status="won") == ["Mine"]
        assert _found(ana, mine=True) == ["Mine"]
        assert _found(ana, owner="' OR 1=1 --") == []


def test_records_in_no_crm_are_looked_for_among_the_newest(ana: Person) -> None:
    with tenancy.acting_for(ana.organization_id):
        _deal(ana, "One")

        found = listing.listed(ana, "deal", listing.Filters(view="missing"), "")

    assert ([row["title"] for row in found.rows], found.window) == (["One"], 10_000)


def test_a_connection_that_the_server_closed_is_not_used_again(
    in_app: Flask, cluster: PostgreSQL
) -> None:
    engine = engine_for(DatabaseRole.APP)
    with engine.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with cluster.connect() as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() != pid


def test_what_was_noted_is_forgotten_for_one_organisation_only(ana: Person) -> None:
    other = factories.organization("Südwind")
    for organization in (ana.organization_id, other):
        with tenancy.acting_for(organization):
            brief.note(("many", "deal"))

    with tenancy.acting_for(ana.organization_id):
        brief.forget()
        mine = brief.holds(("many", "deal"))
    with tenancy.acting_for(other):
        theirs = brief.holds(("many", "deal"))

    assert (mine, theirs) == (False, True)
