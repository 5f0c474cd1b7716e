"""A browser without JavaScript: signs in as a person, reads pages, sends the forms it finds."""

from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm_admin.services import sessions
from crm_admin.services.access import Person


@dataclass
class Seen:
    """An answer, parsed."""

    response: TestResponse
    soup: BeautifulSoup

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def title(self) -> str:
        return self.soup.title.get_text() if self.soup.title else ""

    @property
    def sentence(self) -> str:
        """The page's first heading, with single blanks."""
        heading = self.soup.find("h1")
        return " ".join(heading.get_text().split()) if heading else ""

    @property
    def text(self) -> str:
        return " ".join(self.soup.get_text(" ").split())

    def form(self, action: str) -> Tag:
        """The one form that is sent to an address."""
        found = [form for form in self.soup.find_all("form") if form.get("action") == action]
        assert len(found) == 1, f"{len(found)} forms are sent to {action}"
        return found[0]

    def has_form(self, action: str) -> bool:
        return any(form.get("action") == action for form in self.soup.find_all("form"))


def fields_of(form: Tag) -> dict[str, list[str]]:
    """What a browser would send of a form as it stands, without a button."""
    sent: dict[str, list[str]] = {}
    for field in form.find_all(["input", "select", "textarea"]):
        name, kind = field.get("name"), field.get("type", "text")
        if not name or (kind in {"checkbox", "radio"} and not field.has_attr("checked")):
            continue
        if field.name == "select":
            chosen = field.find("option", selected=True) or field.find("option")
            value = chosen.get("value", "") if chosen else ""
        else:
            value = field.get_text() if field.name == "textarea" else field.get("value", "")
        sent.setdefault(str(name), []).append(str(value))
    return sent


class Browser:
    """One person's browser."""

    def __init__(self, app: Flask, person: Person | None) -> None:
        self.client: FlaskClient = app.test_client()
        if person is not None:
            with app.app_context():
                token = sessions.start(
                    user_id=person.user_id,
                    organization_id=person.organization_id,
                    address="127.0.0.1",
                    agent="tests",
                )
            self.client.set_cookie("crm_session", token)

    def get(self, path: str, *, htmx: bool = False) -> Seen:
        headers = {"HX-Request": "true"} if htmx else {}
        return self._seen(self.client.get(path, headers=headers))

    def follow(self, path: str) -> Seen:
        return self._seen(self.client.get(path, follow_redirects=True))

    def send(self, form: Tag, *, to: str = "", follow: bool = True, **changes: object) -> Seen:
        """Send a form with some of its fields changed, as the button or script would."""
        data = {**fields_of(form), **changes}
        return self._seen(
            self.client.post(
                to or str(form["action"]),
                data=data,
                headers={"Sec-Fetch-Site": "same-origin"},
                follow_redirects=follow,
            )
        )

    @staticmethod
    def _seen(response: TestResponse) -> Seen:
        return Seen(response, BeautifulSoup(response.get_data(as_text=True), "html.parser"))
