"""Cells of files, and calls as commands: nothing in them runs."""

import shlex
from datetime import UTC, datetime

import pytest

from crm_admin.blueprints.exporting import cell
from crm_admin.blueprints.sync.curl import curl
from crm_admin.ids import new_id
from crm_admin.services.queries.options import Option, nearest
from crm_admin.services.queries.run_calls import Call


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+49 30", "-1", "@x", "\t=1", "\r=1", "\n=1", "\0=1", "\uff1d1", "\uff0b", "\uff0d"],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(("value", "text"), [(None, ""), ("a=b", "a=b"), (5, "5"), ("", "")])
def test_other_cells_stay_as_they_are(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_hostile_call_is_one_command_without_its_token() -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    path, body = "/a'; rm -rf $HOME #", '{"x": "\'; echo $(id)"}'
    call = Call(new_id(), moment, "POST", path, 400, 1, "", 0, 0, "", asked=body)

    words = shlex.split(curl(call, provider="hubspot", endpoint="https://crm.example/"))

    assert words[:4] == ["curl", "-X", "POST", f"https://crm.example{path}"]
    assert words[-1] == body
    assert "Authorization: Bearer $TOKEN" in words


@pytest.mark.parametrize(
    ("value", "option"),
    [
        ("Closed-Won", "closedwon"),
        ("closed won", "closedwon"),
        ("Qualified to buy", "q2b"),
        ("galaxy", None),
        ("", None),
    ],
)
def test_the_option_that_is_spelt_alike_is_meant(value: str, option: str | None) -> None:
    options = [
        Option("closedwon", "Closed won"),
        Option("closedlost", "Closed lost"),
        Option("q2b", "Qualified To Buy"),
    ]

    found = nearest(value, options)

    assert (found.value if found else None) == option
