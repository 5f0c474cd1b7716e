"""What of the simulated HubSpot a test may set: limits, lag, order, clock, tokens, rules of the
account.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from crm_admin.simulators.wire import as_float, as_int, as_list, as_map, as_text

DEMO_PORTAL: Final = 24_681_012
DEMO_TOKEN: Final = "pat-na1-demo-00000000-0000-4000-8000-000000000001"  # noqa: S105  # of no real account
DEMO_TOKENS: Final = re.compile(r"pat-(na1|eu1)-demo-[A-Za-z0-9-]+")
OBJECT_SCOPES: Final = tuple(
    f"crm.{area}.{name}.{right}"
    for area in ("objects", "schemas")
    for name in ("contacts", "companies", "deals")
    for right in ("read", "write")
)
ALL_SCOPES: Final = ("oauth", "crm.objects.owners.read", "sales-email-read", *OBJECT_SCOPES)


@dataclass(frozen=True, slots=True)
class Token:
    """`expires_at` is on the provider's clock in milliseconds; None never expires."""

    portal: int = DEMO_PORTAL
    scopes: frozenset[str] = frozenset(ALL_SCOPES)
    expires_at: int | None = None
    revoked: bool = False
    oauth: bool = False


@dataclass(slots=True)
class Limits:
    """None switches a limit off; the headers then show room that nobody will use up."""

    ten_secondly: int | None = None
    daily: int | None = None
    search_secondly: int | None = None


REAL_LIMITS: Final = Limits(ten_secondly=190, daily=625_000, search_secondly=5)


@dataclass(slots=True)
class Settings:
    index_lag: float = 0.5
    limits: Limits = field(default_factory=Limits)
    shuffle: bool = True
    unordered_search: bool = False
    multi_status: bool = True
    merge_makes_new_id: bool = True
    association_stamps: bool = True
    any_token: bool = False
    clock_offset: float = 0.0
    required: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    oauth_clients: dict[str, str] = field(default_factory=dict)

    def find_token(self, text: str) -> Token | None:
        known = self.tokens.get(text)
        if known is None and text and (self.any_token or DEMO_TOKENS.fullmatch(text)):
            return Token()
        return known

    def change(self, given: Mapping[str, object]) -> None:
        """Sets what is named and leaves the rest; unknown names are an error."""
        unknown = set(given) - set(self.as_json())
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        for name in (
            "shuffle",
            "unordered_search",
            "multi_status",
            "merge_makes_new_id",
            "association_stamps",
            "any_token",
        ):
            if name in given:
                setattr(self, name, given[name] is True)
        for name in ("index_lag", "clock_offset"):
            if name in given:
                setattr(self, name, as_float(given[name]))
        self._change_tables(given)

    def _change_tables(self, given: Mapping[str, object]) -> None:
        for name, value in as_map(given.get("limits")).items():
            if name not in ("ten_secondly", "daily", "search_secondly"):
                raise ValueError(f"unknown limit: {name}")
            setattr(self.limits, name, None if value is None else as_int(value))
        for name, names in as_map(given.get("required")).items():
            self.required[name] = tuple(as_text(each) for each in as_list(names))
        for text, facts in as_map(given.get("tokens")).items():
            self.tokens[text] = parse_token(as_map(facts))
        for client, secret in as_map(given.get("oauth_clients")).items():
            self.oauth_clients[client] = as_text(secret)

    def as_json(self) -> dict[str, object]:
        return {
            "index_lag": self.index_lag,
            "limits": {
                "ten_secondly": self.limits.ten_secondly,
                "daily": self.limits.daily,
                "search_secondly": self.limits.search_secondly,
            },
            "shuffle": self.shuffle,
            "unordered_search": self.unordered_search,
            "multi_status": self.multi_status,
            "merge_makes_new_id": self.merge_makes_new_id,
            "association_stamps": self.association_stamps,
            "any_token": self.any_token,
            "clock_offset": self.clock_offset,
            "required": {name: list(names) for name, names in self.required.items()},
            "oauth_clients": dict(self.oauth_clients),
            "tokens": {text: token_json(token) for text, token in self.tokens.items()},
        }


def parse_token(facts: Mapping[str, object]) -> Token:
    """The token a control describes; without scopes it has all of them."""
    scopes = facts.get("scopes")
    expires_at = facts.get("expires_at")
    return Token(
        portal=as_int(facts.get("portal"), DEMO_PORTAL),
        scopes=frozenset(ALL_SCOPES if scopes is None else map(as_text, as_list(scopes))),
        expires_at=None if expires_at is None else as_int(expires_at),
        revoked=facts.get("revoked") is True,
    )


def token_json(token: Token) -> dict[str, object]:
    """The token as the controls show it."""
    return {
        "portal": token.portal,
        "scopes": sorted(token.scopes),
        "expires_at": token.expires_at,
        "revoked": token.revoked,
        "oauth": token.oauth,
    }
