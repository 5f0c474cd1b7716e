"""One box that finds a record by whatever a person has in hand: words, an e-mail address, an id of
ours or of any CRM, or the address of a page.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from rapidfuzz.fuzz import WRatio

from crm_admin.packs.registry import kinds
from crm_admin.providers.addresses import record_address, simulated_address
from crm_admin.providers.registry import specs
from crm_admin.services.access import Person
from crm_admin.services.queries import scope
from crm_admin.services.queries.sql import Row, rows

MOST: Final = 12
LONGEST: Final = 2_000
SHORT: Final = re.compile(r"[0-9a-fA-F]{8}")
OURS: Final = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
NEAR_TRIES: Final = 4
NEAR_LEAST: Final = 55.0
SHORTEST: Final = 3

SHOW = f"""
SELECT r.id, r.kind, r.title, r.external_id FROM record r
 WHERE r.id = ANY(CAST(:ids AS uuid[])) AND r.deleted_at IS NULL AND r.merged_into IS NULL
   AND {scope.OWN}
"""  # noqa: S608 - only our own condition is pasted in

WORDS = """
SELECT record_id, by_key FROM search_records(CAST(:query AS text), CAST(:kinds AS text[]),
       CAST(:owner AS uuid), CAST(:most AS integer))
"""

SHARED = """
SELECT r.id FROM share h JOIN record r ON r.id = h.record_id
 WHERE h.user_id = CAST(:owner AS uuid) AND r.kind = 'pov' AND r.deleted_at IS NULL
   AND strpos(lower(coalesce(r.title, '')), lower(:query)) > 0
 ORDER BY r.title LIMIT :most
"""

EXTERNAL = """
SELECT r.id FROM record r
 WHERE r.kind = ANY(CAST(:kinds AS text[])) AND r.external_id = :query LIMIT :most
"""

ENDING = "SELECT record_id FROM find_by_ending(CAST(:ending AS text), CAST(:most AS integer))"

# Each pair of connection and object is one look into a unique index: LIMIT keeps it there,
# whatever the server believes of the tables' sizes.
THEIRS = """
SELECT coalesce(l.record_id, m.record_id) AS record_id, c.name AS connection, o.remote_object
  FROM connection c
 CROSS JOIN LATERAL (SELECT DISTINCT s.remote_object FROM stream s
                      WHERE s.connection_id = c.id) o
  LEFT JOIN LATERAL (
       SELECT record_id FROM link
        WHERE link.connection_id = c.id AND link.remote_object = o.remote_object
          AND link.remote_id = :id LIMIT 1) l ON true
  LEFT JOIN LATERAL (
       SELECT link_id FROM link_alias a
        WHERE a.connection_id = c.id AND a.remote_object = o.remote_object
          AND a.remote_id = :id LIMIT 1) a ON true
  LEFT JOIN LATERAL (SELECT record_id FROM link WHERE link.id = a.link_id LIMIT 1) m ON true
 WHERE (CAST(:object AS text) = '' OR o.remote_object = :object)
   AND (CAST(:connections AS uuid[]) IS NULL OR c.id = ANY(CAST(:connections AS uuid[])))
   AND (l.record_id IS NOT NULL OR m.record_id IS NOT NULL)
 LIMIT :most
"""

CONNECTIONS = "SELECT id, provider, environment, endpoint, account FROM connection LIMIT 200"


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found; `why` says by what, "" for its name."""

    id: UUID
    kind: str
    kind_label: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave; `nearest` says that nothing matches and these come close."""

    query: str
    hits: Sequence[Hit]
    nearest: bool


@dataclass(frozen=True, slots=True)
class _Ask:
    """What a person asked, with whose records they may see."""

    person: Person
    query: str

    @property
    def owner(self) -> UUID | None:
        return scope.owner_of(self.person)

    @property
    def kinds(self) -> list[str]:
        return ["pov"] if self.owner else [kind.name for kind in kinds()]


def find(person: Person, query: str) -> Found:
    """Return what the person may see of what they look for, ids before words; when there is
    nothing, what comes near."""
    words = " ".join(query[:LONGEST].replace("\0", " ").split())
    ask = _Ask(person, words)
    if not words:
        return Found("", (), nearest=False)
    is_address = words.startswith(("http://", "https://"))
    hits = _shown(ask, _ids(ask))
    if not hits and not is_address:
        hits = _shown(ask, _words(ask))
    if hits or is_address:
        return Found(words, hits, nearest=False)
    return Found(words, _near(ask), nearest=True)


def _ids(ask: _Ask) -> dict[UUID, str]:
    """Ids are exact: whoever pastes one means that record."""
    query = ask.query
    if query.startswith(("http://", "https://", "/")):
        return _by_address(query)
    whole = OURS.fullmatch(query)
    if whole:
        return {UUID(query): "our id"}
    found: dict[UUID, str] = {}
    if SHORT.fullmatch(query):
        for row in rows(ENDING, ending=query.lower(), most=MOST):
            found[row["record_id"]] = "the end of our id"
    for row in rows(EXTERNAL, kinds=ask.kinds, query=query[:300], most=MOST):
        found[row["id"]] = "its own id"
    if " " not in query:
        found |= _theirs(query[:300], "", None)
    return found


def _by_address(text: str) -> dict[UUID, str]:
    connections = rows(CONNECTIONS)
    for row in connections:
        simulated = simulated_address(text, row["endpoint"] or "")
        if simulated is not None:
            return _theirs(simulated[1], simulated[0], [row["id"]])
    address = record_address(text, specs())
    if address is not None:
        mine = [
            row["id"]
            for row in connections
            if row["provider"] == address.provider and _is_account(row, address.account)
        ]
        return _theirs(address.id, address.object, mine)
    ours = OURS.search(text)
    return {UUID(ours[0]): "its address"} if ours else {}


def _is_account(row: Row, account: str) -> bool:
    """An address of another account of the same CRM names another record."""
    known = row["account"] if isinstance(row["account"], Mapping) else {}
    return not account or str(known.get("id") or account) == account


def _theirs(remote_id: str, name: str, connections: Sequence[UUID] | None) -> dict[UUID, str]:
    found = rows(
        THEIRS,
        id=remote_id,
        object=name,
        connections=list(connections) if connections is not None else None,
        most=MOST,
    )
    return {
        row["record_id"]: f"{row['remote_object']} {remote_id} in {row['connection']}"
        for row in found
    }


def _words(ask: _Ask) -> dict[UUID, str]:
    found = {
        row["record_id"]: "an address or number of it" if row["by_key"] else ""
        for row in rows(WORDS, query=ask.query, kinds=ask.kinds, owner=ask.owner, most=MOST)
    }
    if ask.owner is not None:
        for row in rows(SHARED, owner=ask.owner, query=ask.query[:200], most=MOST):
            found.setdefault(row["id"], "shared with you")
    return found


def _shown(ask: _Ask, why: Mapping[UUID, str]) -> tuple[Hit, ...]:
    """Look every id up under the person's scope: nothing is shown that was only found."""
    if not why:
        return ()
    seen = {row["id"]: row for row in rows(SHOW, ids=list(why), owner=ask.owner)}
    registry = kinds()
    return tuple(
        Hit(
            id=record_id,
            kind=seen[record_id]["kind"],
            kind_label=registry[seen[record_id]["kind"]].label,
            title=seen[record_id]["title"] or "Untitled",
            why=reason,
        )
        for record_id, reason in why.items()
        if record_id in seen and seen[record_id]["kind"] in registry
    )[:MOST]


def _near(ask: _Ask) -> tuple[Hit, ...]:
    """Shorten the longest word until something begins with it, then take what is most alike."""
    longest = max(re.findall(r"\w+", ask.query.lower()), key=len, default="")
    for length in _lengths(len(longest)):
        hits = _shown(ask, _words(_Ask(ask.person, longest[:length])))
        alike = sorted(
            ((WRatio(ask.query.lower(), hit.title.lower()), hit) for hit in hits),
            key=lambda pair: -pair[0],
        )
        near = tuple(hit for likeness, hit in alike if likeness >= NEAR_LEAST)
        if near:
            return near[:5]
    return ()


def _lengths(whole: int) -> list[int]:
    """A few lengths from nearly the whole word down to its first letters."""
    if whole <= SHORTEST:
        return []
    steps = {whole - 1, whole - 2, (whole + SHORTEST) // 2, SHORTEST}
    return sorted((one for one in steps if one >= SHORTEST), reverse=True)[:NEAR_TRIES]
