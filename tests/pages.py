"""A browser without JavaScript: it follows forms, carries the token,
and checks what every page must have."""

from collections.abc import Mapping
from typing import Any

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm_admin.blueprints.browser import cookie_name
from crm_admin.services import sessions
from crm_admin.services.access import Person


class Browser:
    """A client with a memory for the token of the last page it saw."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.token = ""

    def sign_in(self, person: Person) -> "Browser":
        """Be signed in as the person, as if they had just entered their password."""
        with self.app.app_context():
            token = sessions.start(
                user_id=person.user_id,
                organization_id=person.organization_id,
                address="127.0.0.1",
                agent="tests",
            )
        self.client.set_cookie(cookie_name(self.app.config["CRM"]), token)
        return self

    def get(self, path: str, *, htmx: bool = False, **options: Any) -> TestResponse:
        answer = self.client.get(path, headers=_headers(htmx), **options)
        if "text/html" in answer.content_type:
            self._look(answer, htmx=htmx)
        return answer

    def post(
        self, path: str, data: Mapping[str, Any] | None = None, *, htmx: bool = False
    ) -> TestResponse:
        """Send a form with the token of this browser, as a page of ours would."""
        if not self.token:
            self.get("/organizations" if self._has_cookie() else "/sign-in")
        sent = {"csrf_token": self.token, **(data or {})}
        headers = _headers(htmx) | {"Sec-Fetch-Site": "same-origin"}
        return self.client.post(path, data=sent, headers=headers)

    def _has_cookie(self) -> bool:
        return self.client.get_cookie(cookie_name(self.app.config["CRM"])) is not None

    def _look(self, answer: TestResponse, *, htmx: bool) -> None:
        found = parsed(answer)
        field = found.select_one("meta[name=csrf-token], input[name=csrf_token]")
        if field is not None:
            self.token = str(field.get("content") or field.get("value"))
        if not htmx and answer.status_code == 200 and found.html is not None:
            check_page(found)


def _headers(htmx: bool) -> dict[str, str]:
    return {"HX-Request": "true"} if htmx else {}


def parsed(answer: TestResponse) -> BeautifulSoup:
    """The answer as a tree."""
    return BeautifulSoup(answer.text, "html.parser")


def text_of(answer: TestResponse) -> str:
    """What a person reads, blanks folded."""
    return " ".join(parsed(answer).get_text(" ").split())


def check_page(page: BeautifulSoup) -> None:
    """What every page must have: a language, a title, one heading, one main part, labels,
    no scripts inside."""
    assert page.html is not None
    assert page.html.get("lang")
    assert page.title is not None
    assert len(page.select("h1")) == 1
    assert len(page.select("main#main")) == 1
    assert not page.select("[style], [onclick], [onload], script:not([src])")
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids)), "an id stands twice on the page"
    for form in page.select("form[method=post]"):
        assert form.select("input[name=csrf_token]"), (
            f"no token in the form to {form.get('action')}"
        )
