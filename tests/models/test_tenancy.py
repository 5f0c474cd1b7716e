"""What each role of the database can reach, tried with plain SQL."""

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crm_admin import tenancy
from crm_admin.database import SET_ORGANIZATION, Role, engine_for
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.launcher import servers
from tests import factories


def test_a_partition_made_later_has_no_grant(in_app: Flask, cluster: servers.PostgreSQL) -> None:
    with engine_for(Role.APP).begin() as connection:
        connection.exec_driver_sql("SELECT ensure_partitions(5, 2)")

    with cluster.connect("crm_test") as catalogue:
        partitions = catalogue.execute(
            "SELECT relname, pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relispartition AND relkind = 'r'"
        ).fetchall()
        leaks = catalogue.execute(
            "SELECT c.relname FROM pg_class c, aclexplode(c.relacl) g"
            " WHERE c.relispartition AND g.grantee <> c.relowner"
        ).fetchall()
    assert len(partitions) >= 16
    assert {owner for _, owner in partitions} == {"crm_owner"}
    assert leaks == []


def test_making_partitions_twice_makes_none(in_app: Flask) -> None:
    with engine_for(Role.APP).begin() as connection:
        connection.exec_driver_sql("SELECT ensure_partitions(3)")

        again = connection.exec_driver_sql("SELECT ensure_partitions(3)").scalar()

    assert again == 0


def test_a_partition_cannot_be_read_directly(in_app: Flask, cluster: servers.PostgreSQL) -> None:
    organization_id = factories.organization()
    factories.operation(organization_id, label="secret")
    with cluster.connect("crm_test") as catalogue:
        name = catalogue.execute("SELECT tableoid::regclass::text FROM operation").fetchall()[0]

    with engine_for(Role.APP).connect() as connection, connection.begin():
        connection.execute(SET_ORGANIZATION, {"value": str(organization_id)})
        with pytest.raises(DBAPIError) as refused:
            connection.exec_driver_sql(f"SELECT label FROM {name[0]}")

    assert "permission denied" in str(refused.value)


@pytest.fixture
def two(in_app: Flask) -> tuple[UUID, UUID]:
    """Two organisations with a record, a connection and an operation each."""
    both = factories.organization("Ours"), factories.organization("Theirs")
    for one in both:
        factories.record(one)
        factories.connection(one)
        factories.operation(one)
    return both


COUNTED = ("record", "connection", "operation")


def _count(table: str, organization_id: UUID | None) -> int:
    with tenancy.acting_for(organization_id):
        counted = db.session.execute(text(f"SELECT count(*) FROM {table}"))
        number = int(counted.scalar_one())
        db.session.rollback()
    return number


@pytest.mark.parametrize("table", COUNTED)
def test_a_forgotten_filter_shows_the_acting_organisation_only(
    two: tuple[UUID, UUID], table: str
) -> None:
    assert _count(table, two[0]) == 1
    assert _count(table, two[1]) == 1


@pytest.mark.parametrize("table", COUNTED)
def test_without_an_organisation_there_is_nothing(two: tuple[UUID, UUID], table: str) -> None:
    assert _count(table, None) == 0


def test_a_change_without_a_condition_touches_own_rows_only(
    two: tuple[UUID, UUID], cluster: servers.PostgreSQL
) -> None:
    with tenancy.acting_for(two[0]):
        db.session.execute(text("UPDATE record SET title = 'changed'"))
        db.session.execute(text("DELETE FROM operation"))
        db.session.commit()

    with cluster.connect("crm_test") as catalogue:
        titles = dict(catalogue.execute("SELECT organization_id, title FROM record").fetchall())
        left = catalogue.execute("SELECT organization_id FROM operation").fetchall()
    assert titles == {two[0]: "changed", two[1]: "Ana Silva"}
    assert left == [(two[1],)]


def test_a_row_for_another_organisation_is_refused(two: tuple[UUID, UUID]) -> None:
    insert = text("INSERT INTO record (organization_id, id, kind) VALUES (:org, :id, 'x')")

    with tenancy.acting_for(two[0]):
        with pytest.raises(DBAPIError) as refused:
            db.session.execute(insert, {"org": two[1], "id": new_id()})
        db.session.rollback()

    assert "row-level security" in str(refused.value)


def test_a_reference_cannot_cross_organisations(two: tuple[UUID, UUID]) -> None:
    with tenancy.acting_for(two[1]):
        theirs = db.session.execute(text("SELECT id FROM record")).scalar_one()
    insert = text(
        "INSERT INTO record_key (organization_id, kind, key_type, value, record_id, strong)"
        " VALUES (:org, 'contact', 'email', 'x', :record, true)"
    )

    with tenancy.acting_for(two[0]):
        with pytest.raises(DBAPIError) as refused:
            db.session.execute(insert, {"org": two[0], "record": theirs})
        db.session.rollback()

    assert "fk_record_key" in str(refused.value)


def test_the_system_role_finds_due_rows_of_all_but_no_contents(two: tuple[UUID, UUID]) -> None:
    with engine_for(Role.SYSTEM).connect() as connection:
        found = connection.exec_driver_sql("SELECT organization_id FROM connection").scalars().all()
        with pytest.raises(DBAPIError) as refused:
            connection.exec_driver_sql("SELECT title FROM record")

    assert set(found) == set(two)
    assert "permission denied" in str(refused.value)
