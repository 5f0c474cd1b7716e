"""Signed-in browsers, and the brake on whoever guesses passwords."""

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from crm_admin.extensions import db
from crm_admin.security.permissions import Role
from crm_admin.services import sessions, sign_in
from crm_admin.services.access import Person
from crm_admin.services.sign_in import Refused, SignedIn
from tests import factories
from tests.factories import PASSWORD

HOME, ELSEWHERE = "192.0.2.10", "198.51.100.7"


@pytest.fixture
def ana(in_app: Flask) -> Person:
    return factories.person(Role.ADMIN, factories.organization(), email="ana@nordlicht.test")


def _start(person: Person, place: UUID | None = None) -> str:
    return sessions.start(
        user_id=person.user_id,
        organization_id=place or person.organization_id,
        address=HOME,
        agent="a browser",
    )


def _try(password: str = "a wrong guess", address: str = HOME) -> SignedIn | Refused:
    return sign_in.sign_in(
        email="ana@nordlicht.test", password=password, address=address, agent="a browser"
    )


def _stored() -> str:
    return str(db.session.execute(text("SELECT s::text FROM session s")).scalars().all())


def test_the_cookie_finds_the_person_and_is_not_stored(ana: Person) -> None:
    token = _start(ana)

    found = sessions.find(token)

    assert found is not None
    assert found.person == ana
    assert token not in _stored()
    assert sessions.find(token[:-1] + ("A" if token[-1] != "A" else "B")) is None


@pytest.mark.parametrize(
    ("steps", "still_there"),
    [
        ([29], True),
        ([31], False),
        ([20] * 35, True),
        ([20] * 37, False),
    ],
    ids=["idle 29 min", "idle 31 min", "11 h 40 of use", "12 h 20 of use"],
)
def test_a_session_ends_when_idle_and_after_half_a_day(
    clock: time_machine.Traveller, ana: Person, steps: list[int], still_there: bool
) -> None:
    token = _start(ana)

    for minutes in steps:
        clock.shift(timedelta(minutes=minutes))
        found = sessions.find(token)
        if found is not None:
            sessions.touch(found)

    assert (sessions.find(token) is not None) is still_there


def test_ending_a_session_counts_at_once(ana: Person) -> None:
    token, other = _start(ana), _start(ana)

    sessions.end(token)

    assert sessions.find(token) is None
    assert sessions.find(other) is not None


def test_signing_out_everywhere_spares_the_browser_it_is_done_in(ana: Person) -> None:
    token, other = _start(ana), _start(ana)

    ended = sessions.end_all(ana.user_id, but=token)

    assert ended == 1
    assert sessions.find(other) is None
    assert [one.agent for one in sessions.sign_ins(ana.user_id)] == ["a browser"]


def test_proving_gives_a_new_id_and_makes_the_session_fresh(
    clock: time_machine.Traveller, ana: Person
) -> None:
    token = _start(ana)
    clock.shift(timedelta(minutes=20))

    renewed = sign_in.prove(person=ana, token=token, password=PASSWORD, address=HOME)

    assert isinstance(renewed, str)
    assert sessions.find(token) is None
    found = sessions.find(renewed)
    assert found is not None
    assert found.fresh_at == found.seen_at > found.created_at


def test_a_wrong_password_proves_nothing(ana: Person) -> None:
    token = _start(ana)

    outcome = sign_in.prove(person=ana, token=token, password="not mine", address=HOME)

    assert outcome == Refused()
    assert sessions.find(token) is not None


def test_a_person_moves_only_to_an_organisation_they_belong_to(ana: Person) -> None:
    token, foreign = _start(ana), factories.organization("Südwind")

    assert sign_in.switch(person=ana, token=token, organization_id=foreign) is None
    assert sessions.find(token) is not None


def test_the_right_password_opens_a_session_and_is_noted(ana: Person) -> None:
    outcome = _try(PASSWORD)

    assert isinstance(outcome, SignedIn)
    found = sessions.find(outcome.token)
    assert found is not None
    assert found.person == ana
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(
            text("SELECT set_config('app.organization_id', :id, true)"),
            {"id": str(ana.organization_id)},
        )
        actions = connection.execute(text("SELECT action FROM audit_event")).scalars().all()
    assert actions == ["sign_in"]


def test_a_hundred_guesses_are_looked_at_a_few_times(
    clock: time_machine.Traveller, ana: Person
) -> None:
    outcomes = [_try() for _ in range(100)]

    looked_at = sum(1 for one in outcomes if one == Refused())
    assert looked_at == sign_in.PAIR.free
    assert all(isinstance(one, Refused) for one in outcomes)


def _waits(clock: time_machine.Traveller, rounds: int) -> list[int]:
    """The wait after each wrong guess, the next one made as soon as it is over."""
    waits = []
    for guess in range(rounds):
        _try(address=f"203.0.113.{guess}" if rounds > 20 else HOME)
        held = _try(PASSWORD)
        assert isinstance(held, Refused)
        waits.append(held.wait_seconds)
        clock.shift(timedelta(seconds=held.wait_seconds))
    return waits


def test_the_wait_doubles_and_the_right_password_waits_too(
    clock: time_machine.Traveller, ana: Person
) -> None:
    for _ in range(sign_in.PAIR.free - 1):
        _try()

    waits = _waits(clock, 12)

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_after_the_wait_the_right_password_opens_and_clears(
    clock: time_machine.Traveller, ana: Person
) -> None:
    for _ in range(sign_in.PAIR.free):
        _try()
    held = _try(PASSWORD)
    assert isinstance(held, Refused)
    clock.shift(timedelta(seconds=held.wait_seconds))

    opened, again = _try(PASSWORD), _try(PASSWORD)

    assert isinstance(opened, SignedIn)
    assert isinstance(again, SignedIn)


def test_a_stranger_cannot_keep_the_owner_out(clock: time_machine.Traveller, ana: Person) -> None:
    assert isinstance(_try(PASSWORD), SignedIn)
    for guess in range(60):
        _try(address=f"198.51.100.{guess}")

    owner = _try(PASSWORD)

    assert isinstance(owner, SignedIn)


def test_a_stranger_slows_a_new_network_down_by_half_a_minute_at_most(
    clock: time_machine.Traveller, ana: Person
) -> None:
    for guess in range(sign_in.ACCOUNT.free - 1):
        _try(address=f"198.51.100.{guess}")

    waits = _waits(clock, 21)

    assert waits[:6] == [1, 2, 4, 8, 16, 30]
    assert set(waits[6:]) == {30}


def test_one_network_cannot_go_through_many_accounts(
    clock: time_machine.Traveller, ana: Person
) -> None:
    for number in range(sign_in.NETWORK.free):
        sign_in.sign_in(
            email=f"person{number}@nordlicht.test",
            password="a wrong guess",
            address=ELSEWHERE,
            agent="",
        )

    held = _try(PASSWORD, address=ELSEWHERE)

    assert isinstance(held, Refused)
    assert held.wait_seconds > 0
    assert isinstance(_try(PASSWORD), SignedIn)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.10", "192.0.2.10/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("not an address", "unknown"),
    ],
)
def test_a_network_is_what_one_household_shares(address: str, network: str) -> None:
    assert sign_in.network_of(address) == network


def test_old_attempts_are_forgotten(clock: time_machine.Traveller, ana: Person) -> None:
    _try()
    clock.shift(timedelta(hours=25))

    sign_in.forget_old_attempts()

    assert db.session.scalar(text("SELECT count(*) FROM sign_in_attempt")) == 0
