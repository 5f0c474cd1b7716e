"""Accounts: who can sign in, what they are, and what ends when that changes."""

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from crm_admin import tenancy
from crm_admin.errors import BadInput, NotFound
from crm_admin.extensions import db
from crm_admin.models import AppUser
from crm_admin.security.permissions import Role
from crm_admin.services import organizations, sessions, users
from crm_admin.services.access import Person
from crm_admin.services.users import NewPerson
from tests import factories
from tests.factories import PASSWORD


@pytest.fixture
def place(in_app: Flask) -> UUID:
    return factories.organization()


@pytest.fixture
def admin(place: UUID) -> Person:
    return factories.person(Role.ADMIN, place, name="Ana Silva")


def _new(place: UUID, **values: object) -> NewPerson:
    wanted = {"email": "Yusuf@Nordlicht.test", "name": "Yusuf Demir", "password": PASSWORD}
    return NewPerson(role=Role.OPERATOR, organization_id=place, **(wanted | values))  # type: ignore[arg-type]


def _session_of(person: Person) -> str:
    return sessions.start(
        user_id=person.user_id,
        organization_id=person.organization_id,
        address="127.0.0.1",
        agent="tests",
    )


def test_a_new_person_signs_in_under_any_spelling_of_the_address(place: UUID) -> None:
    user_id = users.create(new=_new(place), hasher=factories.hasher())

    account = users.authenticate(email=" YUSUF@nordlicht.TEST ", password=PASSWORD)

    assert account is not None
    assert (account.user_id, account.name) == (user_id, "Yusuf Demir")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "yusuf"}, "email"),
        ({"email": "a b@c.de"}, "email"),
        ({"email": "a" * 250 + "@c.de"}, "email"),
        ({"name": "  "}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"password": "short"}, "password"),
        ({"password": "yusuf demir yusuf"}, "password"),
    ],
)
def test_what_cannot_be_used_is_named(place: UUID, values: dict[str, str], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        users.create(new=_new(place, **values), hasher=factories.hasher())

    assert refused.value.field == field
    assert db.session.scalar(text("SELECT count(*) FROM app_user")) == 0


def test_nobody_belongs_to_an_organisation_twice(place: UUID) -> None:
    users.create(new=_new(place), hasher=factories.hasher())

    with pytest.raises(BadInput) as refused:
        users.create(new=_new(place), hasher=factories.hasher())

    assert refused.value.field == "email"


def test_a_known_address_joins_another_organisation_with_its_own_password(place: UUID) -> None:
    other = factories.organization("Südwind")
    user_id = users.create(new=_new(place), hasher=factories.hasher())

    again = users.create(new=_new(other, password="ignored and short"))

    assert again == user_id
    assert [one.name for one in users.places_of(user_id)] == ["Nordlicht", "Südwind"]
    assert users.authenticate(email="yusuf@nordlicht.test", password=PASSWORD) is not None


@pytest.mark.parametrize("email", ["yusuf@nordlicht.test", "nobody@nordlicht.test"])
def test_a_wrong_password_and_an_unknown_address_are_nobody(place: UUID, email: str) -> None:
    users.create(new=_new(place), hasher=factories.hasher())

    assert users.authenticate(email=email, password="another one entirely") is None


def test_a_cheap_hash_is_renewed_when_its_owner_signs_in(place: UUID) -> None:
    user_id = users.create(new=_new(place), hasher=factories.hasher())
    stored = select(AppUser.password_hash).where(AppUser.id == user_id)
    cheap = db.session.scalar(stored)

    users.authenticate(email="yusuf@nordlicht.test", password=PASSWORD)

    renewed = db.session.scalar(stored)
    assert renewed != cheap
    assert renewed is not None
    assert "m=47104" in renewed
    assert users.authenticate(email="yusuf@nordlicht.test", password=PASSWORD) is not None


def test_disabling_a_person_ends_their_sessions_and_their_sign_in(admin: Person) -> None:
    yusuf = factories.person(Role.OPERATOR, admin.organization_id)
    token = _session_of(yusuf)

    with tenancy.acting_for(admin.organization_id):
        users.disable(user_id=yusuf.user_id, by=admin)

    assert sessions.find(token) is None
    assert users.authenticate(email=yusuf.email, password=PASSWORD) is None


def test_a_new_role_ends_the_sessions_of_the_old_one(admin: Person) -> None:
    yusuf = factories.person(Role.OPERATOR, admin.organization_id)
    token = _session_of(yusuf)

    users.set_role(by=admin, user_id=yusuf.user_id, role=Role.VIEWER)

    assert sessions.find(token) is None
    assert [one.role for one in users.places_of(yusuf.user_id)] == [Role.VIEWER]


def test_the_only_admin_stays_one(admin: Person) -> None:
    with pytest.raises(BadInput):
        users.set_role(by=admin, user_id=admin.user_id, role=Role.VIEWER)
    with pytest.raises(BadInput):
        users.remove(by=admin, user_id=admin.user_id)

    assert [one.role for one in users.places_of(admin.user_id)] == [Role.ADMIN]


def test_a_person_of_another_organisation_is_not_there(admin: Person) -> None:
    stranger = factories.person(Role.VIEWER, factories.organization("Südwind"))

    with pytest.raises(NotFound):
        users.set_role(by=admin, user_id=stranger.user_id, role=Role.ADMIN)
    with pytest.raises(NotFound):
        users.remove(by=admin, user_id=stranger.user_id)


def test_removing_a_person_ends_their_session_here(admin: Person) -> None:
    yusuf = factories.person(Role.OPERATOR, admin.organization_id)
    token = _session_of(yusuf)

    users.remove(by=admin, user_id=yusuf.user_id)

    assert sessions.find(token) is None
    assert users.places_of(yusuf.user_id) == []


def test_a_changed_password_replaces_the_old_one_everywhere(admin: Person) -> None:
    token = _session_of(admin)

    users.change_password(user_id=admin.user_id, password="nine quiet lamps by the sea")

    assert sessions.find(token) is None
    assert users.authenticate(email=admin.email, password=PASSWORD) is None
    found = users.authenticate(email=admin.email, password="nine quiet lamps by the sea")
    assert found is not None


def test_what_changed_about_people_is_in_the_audit_log(admin: Person) -> None:
    yusuf = factories.person(Role.OPERATOR, admin.organization_id)

    users.set_role(by=admin, user_id=yusuf.user_id, role=Role.VIEWER)

    with tenancy.acting_for(admin.organization_id):
        row = db.session.execute(
            text("SELECT actor_name, action, object_id, before, after FROM audit_event")
        ).one()
    expected = ("Ana Silva", "person.role", str(yusuf.user_id))
    assert tuple(row) == (*expected, {"role": "operator"}, {"role": "viewer"})


def test_an_organisation_is_found_by_name_and_by_slug(in_app: Flask) -> None:
    created = organizations.create(name="Nordlicht Instruments", zone="Europe/Berlin")

    by_name, by_slug = (
        organizations.find("nordlicht instruments"),
        organizations.find("nordlicht-instruments"),
    )

    assert by_name == by_slug
    assert by_name is not None
    assert by_name.id == created
    assert organizations.all_ids() == [created]


@pytest.mark.parametrize(
    ("name", "zone", "field"),
    [("", "UTC", "name"), ("Nordlicht", "Mars/Base", "zone"), ("Taken", "UTC", "name")],
)
def test_an_organisation_needs_a_free_name_and_a_zone(
    in_app: Flask, name: str, zone: str, field: str
) -> None:
    organizations.create(name="Taken")

    with pytest.raises(BadInput) as refused:
        organizations.create(name=name, zone=zone)

    assert refused.value.field == field


def test_the_command_line_acts_as_the_first_admin_of_the_only_organisation(admin: Person) -> None:
    person = organizations.command_line_person()

    assert (person.user_id, person.name) == (admin.user_id, "Ana Silva (command line)")
    assert person.role is Role.ADMIN


def test_the_command_line_asks_which_of_several_organisations(admin: Person) -> None:
    organizations.create(name="Südwind")

    with pytest.raises(BadInput) as refused:
        organizations.command_line_person()

    assert "s-dwind" in refused.value.sentence
