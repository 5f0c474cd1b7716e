"""The simulated HubSpot as a whole: every account, who may call, what a call goes through."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

from crm_admin.simulators.clock import Clock, iso
from crm_admin.simulators.controls import MOUNT, handle_control
from crm_admin.simulators.faults import Faults, Rule
from crm_admin.simulators.hubspot import desk
from crm_admin.simulators.hubspot.account import Account, make_account
from crm_admin.simulators.hubspot.calls import Call
from crm_admin.simulators.hubspot.errors import (
    ApiError,
    bad_request,
    missing_scopes,
    not_authenticated,
    not_found,
    token_expired,
    too_many,
)
from crm_admin.simulators.hubspot.oauth import Grant, OAuth
from crm_admin.simulators.hubspot.routes import Found, find_route
from crm_admin.simulators.hubspot.schema import object_of
from crm_admin.simulators.hubspot.settings import DEMO_PORTAL, Limits, Settings, Token
from crm_admin.simulators.hubspot.shapes import render, shape_of
from crm_admin.simulators.journal import Journal
from crm_admin.simulators.links import End
from crm_admin.simulators.replay import replay
from crm_admin.simulators.row import Row
from crm_admin.simulators.store import Portal
from crm_admin.simulators.truth import By
from crm_admin.simulators.wire import Answer, NotJson, Request, as_map, as_text

TABS: Final[Mapping[str, Sequence[str]]] = {
    "contacts": ("firstname", "lastname", "email", "phone", "company"),
    "companies": ("name", "domain", "phone", "city", "country"),
    "deals": ("dealname", "amount", "dealstage", "closedate"),
}


class HubSpot:
    """Handles every request under its mount; without `data` it forgets everything at its end."""

    label = "HubSpot"
    tabs = TABS

    def __init__(self, *, data: Path | None = None, limits: Limits | None = None) -> None:
        self._first_limits = limits
        self.clock = Clock()
        self.settings = Settings(limits=limits or Limits())
        self.faults = Faults(self)
        self._accounts: dict[int, Account] = {}
        self._shuffler = Random(1)  # noqa: S311  # repeatable, not secret
        self._oauth = OAuth(self.settings, self.clock, self._remember)
        self._journal = Journal(data) if data is not None else None
        if self._journal is not None:
            for number, action, arguments in self._journal.read():
                self._replay(number, action, arguments)
            self._journal.open()

    def handle(self, request: Request) -> Answer:
        if request.path == MOUNT or request.path.startswith(f"{MOUNT}/"):
            answer = handle_control(self, request)
        else:
            answer = self.faults.run(request, self._answer)
        answer.headers.append(("Date", self.clock.http_date()))
        return answer

    def account(self, number: int) -> Account:
        found = self._accounts.get(number)
        if found is None:

            def effect(action: str, arguments: list[object]) -> None:
                if self._journal is not None:
                    self._journal.write(number, action, arguments)

            found = make_account(number, self.settings, self.clock, effect)
            self._accounts[number] = found
        return found

    def portal(self, number: int | None) -> Portal:
        return self.account(DEMO_PORTAL if number is None else number).portal

    def _remember(self, refresh_token: str, grant: Grant) -> None:
        if self._journal is not None:
            kept: list[object] = [refresh_token, grant.client_id, *grant.scopes]
            self._journal.write(grant.portal, "grant", kept)

    def _replay(self, number: int, action: str, arguments: list[object]) -> None:
        if action == "grant":
            refresh_token, client_id, *scopes = map(as_text, arguments)
            self._oauth.grants[refresh_token] = Grant(client_id, tuple(scopes), number)
        else:
            replay(self.account(number).portal, action, arguments)

    def _answer(self, request: Request) -> Answer:
        try:
            if request.path.startswith("/oauth/"):
                return self._oauth.handle(request)
            return self._authenticated(request)
        except ApiError as error:
            return error.answer()
        except NotJson as error:
            return bad_request(f"Invalid input JSON: {error}").answer()

    def _authenticated(self, request: Request) -> Answer:
        token = self._token(request)
        account = self.account(token.portal)
        found = find_route(request.method, request.path)
        is_search = found is not None and found.route.is_search
        with account.portal.lock:
            now = self.clock.now_ms()
            policy = account.usage.refusal(self.settings.limits, now, search=is_search)
            answer = too_many(policy) if policy else self._routed(request, account, token, found)
            if not is_search:
                answer.headers += account.usage.headers(self.settings.limits, oauth=token.oauth)
        return answer

    def _routed(
        self, request: Request, account: Account, token: Token, found: Found | None
    ) -> Answer:
        try:
            if found is None:
                raise not_found("resource not found")
            scopes = found.scopes()
            if scopes and not token.scopes.intersection(scopes):
                raise missing_scopes(scopes)
            call = Call(request, account, token, found.version, found.rest, self._shuffler)
            return found.route.endpoint(call)
        except ApiError as error:
            return error.answer()
        except NotJson as error:
            return bad_request(f"Invalid input JSON: {error}").answer()

    def _token(self, request: Request) -> Token:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self.settings.find_token(text.strip()) if scheme.lower() == "bearer" else None
        if token is None or token.revoked:
            raise not_authenticated()
        if token.expires_at is not None and token.expires_at <= self.clock.now_ms():
            raise token_expired(iso(token.expires_at))
        return token

    def refusal(self, status: int, rule: Rule) -> Answer:
        """An error of this status as HubSpot words it; the rule's value may name a policy or a
        Retry-After.
        """
        facts = as_map(rule.value)
        policy = as_text(facts.get("policy")) or as_text(rule.value if not facts else "")
        if status == 429:
            answer = too_many(policy or "TEN_SECONDLY_ROLLING")
        else:
            category = CATEGORIES.get(status, "INTERNAL_ERROR")
            answer = ApiError(status, category, MESSAGES.get(status, "internal error")).answer()
        wait = facts.get("retry_after", None if rule.seconds is None else round(rule.seconds))
        if wait is not None:
            answer.set("Retry-After", as_text(wait))
        return answer

    def token_expired(self) -> Answer:
        return token_expired(iso(self.clock.now_ms() - 720_000)).answer()

    def scope_removed(self, rule: Rule) -> Answer:
        return missing_scopes([as_text(rule.value) or "crm.objects.contacts.read"]).answer()

    def object_of(self, text: str) -> str | None:
        return object_of(text)

    def wire_record(self, portal: Portal, object_name: str, row: Row) -> bytes:
        table = portal.table(object_name)
        return render(row, shape_of(table, (*shape_of(table, ()), *sorted(row.props))))

    def save(
        self,
        portal: Portal,
        object_name: str,
        row_id: int | None,
        changes: Mapping[str, object],
        by: By,
    ) -> Row:
        return desk.save(self.account(portal.number), object_name, row_id, changes, by)

    def associate(self, portal: Portal, near: End, far: End, *, add: bool, primary: bool) -> None:
        desk.associate(portal, near, far, add=add, primary=primary)

    def merge(self, portal: Portal, object_name: str, pair: tuple[int, int], by: By) -> Row:
        return desk.merge(self.account(portal.number), object_name, pair, by)

    def load(self, portal: Portal, data: Mapping[str, object]) -> dict[str, list[str]]:
        return desk.load(portal, data)

    def seed(self, portal: Portal, asked: Mapping[str, object]) -> dict[str, int]:
        return desk.seed(portal, asked)

    def define(self, portal: Portal, given: Mapping[str, object]) -> None:
        desk.define(portal, given)

    def config(self) -> dict[str, object]:
        return self.settings.as_json()

    def configure(self, given: Mapping[str, object]) -> None:
        self.settings.change(given)
        if self.settings.clock_offset != self.clock.offset_seconds:
            self.clock.set_offset(self.settings.clock_offset)
        for account in self._accounts.values():
            account.portal.set_index_lag(self.settings.index_lag)
            account.portal.link_stamps = self.settings.association_stamps

    def reset(self) -> None:
        """As at the first start: no records, no rules, no tokens beside the demo ones."""
        self.faults.replace([])
        self.settings = Settings(limits=self._first_limits or Limits())
        self.clock.set_offset(0.0)
        self._oauth = OAuth(self.settings, self.clock, self._remember)
        self._accounts = {}
        if self._journal is not None:
            self._journal.clear()

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()


CATEGORIES: Final = {
    423: "LOCKED",
    477: "MIGRATION_IN_PROGRESS",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
    504: "TIMEOUT",
}
MESSAGES: Final = {
    423: "The record is locked. Try again in 2 seconds.",
    477: "A migration of this account is in progress.",
    502: "bad gateway",
    503: "service unavailable",
    504: "gateway timeout",
}
