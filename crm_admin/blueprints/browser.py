"""The browser's session: a random id in a cookie,
everything else in PostgreSQL once somebody signs in."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, g, session
from flask.sessions import SessionInterface, SessionMixin

from crm_admin.config import Config
from crm_admin.security.signing import new_token
from crm_admin.services import sessions
from crm_admin.services.sessions import Found

TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
WITHOUT: Final = ("/assets/", "/healthz", "/readyz")


class BrowserSession(dict[str, Any], SessionMixin):
    """What Flask calls the session. Only a signed-in browser's is kept;
    a visitor has nothing but an id."""

    def __init__(self, token: str = "", found: Found | None = None) -> None:
        super().__init__(found.data if found else {})
        self.token = token
        self.found = found
        self.cookie: str | None = None
        self._before = dict(self)

    @property
    def is_changed(self) -> bool:
        return dict(self) != self._before

    def visitor_token(self) -> str:
        """Return the id of this browser, which gets one when it has none."""
        if not self.token:
            self.token = self.cookie = new_token()
        return self.token

    def renew(self, token: str) -> None:
        """Go on under a new id, given out by the sessions service."""
        self.token = self.cookie = token
        self.found = None
        self.clear()
        self._before = {}

    def leave(self) -> None:
        """Forget the id: the browser is a visitor again."""
        self.renew("")


class Interface(SessionInterface):
    """Reads the cookie before a request and writes it after, if it changed."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """Return this request's session and say who is signed in as `g.person`."""
        g.person = None
        token = request.cookies.get(cookie_name(app.config["CRM"]), "")
        if request.path.startswith(WITHOUT) or not TOKEN.fullmatch(token):
            return BrowserSession()
        found = sessions.find(token)
        if found is not None:
            g.person = found.person
        return BrowserSession(token, found)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep what pages remember of a signed-in browser, and set or drop the cookie."""
        browser = cast("BrowserSession", session)
        if browser.found is not None and browser.is_changed:
            sessions.remember(browser.found.id_hash, _plain(browser))
        if browser.cookie is None:
            return
        settings: Config = app.config["CRM"]
        options: Mapping[str, Any] = {
            "path": "/",
            "secure": is_https(settings),
            "httponly": True,
            "samesite": "Lax",
        }
        if browser.cookie:
            response.set_cookie(cookie_name(settings), browser.cookie, **options)
        else:
            response.delete_cookie(cookie_name(settings), **options)


def _plain(browser: BrowserSession) -> dict[str, Any]:
    """Notices are kept by Flask as tuples; JSON gives them back as lists, which reads the same."""
    return dict(browser)


def is_https(settings: Config) -> bool:
    """Say whether people reach us over https; only a loopback address may do without."""
    return urlsplit(settings.public_url).scheme == "https"


def cookie_name(settings: Config) -> str:
    """Return the cookie's name; the prefix makes browsers insist on https and on this very host."""
    return "__Host-crm_session" if is_https(settings) else "crm_session"


def browser_session() -> BrowserSession:
    """Return this request's session with its own type."""
    return cast("BrowserSession", session._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 -- the proxy's documented way to what it stands for


def settings() -> Config:
    """Return the settings of the present app."""
    found: Config = current_app.config["CRM"]
    return found
