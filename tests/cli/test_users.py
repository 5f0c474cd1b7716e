"""`flask crm user …` as a person types it."""

import json

import pytest
from flask import Flask

from crm_admin.services import organizations, users
from tests.factories import PASSWORD

CREATE = ["crm", "user", "create", "--email", "ana@nordlicht.test", "--name", "Ana Silva"]


def test_the_first_person_gets_an_organisation(app: Flask) -> None:
    run = app.test_cli_runner()

    result = run.invoke(
        args=[*CREATE, "--organization", "Nordlicht", "--password", PASSWORD, "--json"]
    )

    said = json.loads(result.output)
    with app.app_context():
        found = organizations.find("nordlicht")
        account = users.authenticate(email="ana@nordlicht.test", password=PASSWORD)
    assert result.exit_code == 0
    assert found is not None
    assert account is not None
    assert (said["id"], said["organization"]) == (str(account.user_id), str(found.id))
    assert said["role"] == "admin"


def test_the_password_is_asked_for_and_not_shown(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=CREATE, input=f"{PASSWORD}\n{PASSWORD}\n")

    assert result.exit_code == 0
    assert PASSWORD not in result.output
    assert "Ana Silva can sign in as ana@nordlicht.test." in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--password", "short"], "at least 12 characters"),
        (["--password", PASSWORD, "--email", "ana"], "e-mail address"),
    ],
)
def test_what_cannot_be_used_ends_with_a_sentence(
    app: Flask, options: list[str], said: str
) -> None:
    result = app.test_cli_runner().invoke(args=[*CREATE, *options])

    assert result.exit_code == 2
    assert said in result.output


def test_a_disabled_person_cannot_sign_in(app: Flask) -> None:
    run = app.test_cli_runner()
    run.invoke(args=[*CREATE, "--password", PASSWORD])

    result = run.invoke(args=["crm", "user", "disable", "--email", "ANA@nordlicht.test"])

    with app.app_context():
        account = users.authenticate(email="ana@nordlicht.test", password=PASSWORD)
    assert result.exit_code == 0
    assert account is None


def test_disabling_nobody_says_so(app: Flask) -> None:
    result = app.test_cli_runner().invoke(
        args=["crm", "user", "disable", "--email", "nobody@nordlicht.test"]
    )

    assert result.exit_code == 2
    assert "Nobody signs in as" in result.output
