"""The audit log: added with the change, sealed into a chain, and not to be rewritten."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crm_admin import tenancy
from crm_admin.extensions import db
from crm_admin.launcher import servers
from crm_admin.security.permissions import Role
from crm_admin.services import audit
from crm_admin.services.access import Person
from crm_admin.services.sql import transaction
from tests import factories


@pytest.fixture
def ana(in_app: Flask) -> Person:
    return factories.person(Role.ADMIN, factories.organization())


def _write(person: Person, action: str) -> None:
    with tenancy.acting_for(person.organization_id), transaction() as cursor:
        audit.write(cursor, person, action, "connection", None, after={"name": "HubSpot EU"})


def _sealed(person: Person) -> tuple[int, int | None]:
    with tenancy.acting_for(person.organization_id):
        return audit.seal(), audit.broken_at()


def test_an_event_lives_and_dies_with_its_change(ana: Person) -> None:
    with pytest.raises(ZeroDivisionError):
        _fail_after_writing(ana)

    with tenancy.acting_for(ana.organization_id):
        assert db.session.scalar(text("SELECT count(*) FROM audit_event")) == 0


def _fail_after_writing(person: Person) -> None:
    with tenancy.acting_for(person.organization_id), transaction() as cursor:
        audit.write(cursor, person, "connection.create", "connection", None)
        raise ZeroDivisionError


def test_events_are_sealed_once_and_the_chain_holds(ana: Person) -> None:
    for action in ("one", "two", "three"):
        _write(ana, action)

    first, second = _sealed(ana), _sealed(ana)

    assert first == (3, None)
    assert second == (0, None)


def test_each_organisation_has_a_chain_of_its_own(ana: Person) -> None:
    other = factories.person(Role.ADMIN, factories.organization("Südwind"))
    _write(ana, "one")
    _write(other, "two")

    assert _sealed(ana) == (1, None)
    assert _sealed(other) == (1, None)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_event SET actor_name = 'Somebody else' WHERE sealed_as = 2",
        "UPDATE audit_event SET after = '{}' WHERE sealed_as = 2",
        "DELETE FROM audit_event WHERE sealed_as = 2",
        "UPDATE audit_event SET seal = 'x' WHERE sealed_as = 2",
    ],
)
def test_a_changed_past_breaks_the_chain(
    ana: Person, cluster: servers.PostgreSQL, tampering: str
) -> None:
    for action in ("one", "two", "three"):
        _write(ana, action)
    _sealed(ana)
    with cluster.connect("crm_test") as superuser:
        superuser.execute(tampering)

    with tenancy.acting_for(ana.organization_id):
        assert audit.broken_at() == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET action = 'nothing'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "INSERT INTO audit_event (seal) SELECT 'x' FROM audit_event",
    ],
)
def test_the_app_cannot_rewrite_the_log(ana: Person, statement: str) -> None:
    _write(ana, "one")

    with tenancy.acting_for(ana.organization_id):
        with pytest.raises(DBAPIError) as refused:
            db.session.execute(text(statement))
        db.session.rollback()

    assert "permission denied" in str(refused.value)
