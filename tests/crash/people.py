"""What people do on both sides while workers are killed, noted with the time it was done."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from crm_admin import tenancy
from crm_admin.errors import CrmAdminError, NotFound, Stale
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.packs.registry import kinds
from crm_admin.security.permissions import Role
from crm_admin.services import (
    conflicts,
    connections,
    record_life,
    record_store,
    records,
    sync_runs,
)
from crm_admin.services.access import Person
from crm_admin.services.record_store import NewRecord
from crm_admin.services.sql import transaction
from crm_admin.services.streams import default_choices
from crm_admin.simulators.hubspot.settings import DEMO_PORTAL
from tests.crash import admins
from tests.crash.plan import KIND, OBJECTS, Edit
from tests.crash.stage import Simulated

NAME = {
    "contacts": ("email", "email"),
    "companies": ("name", "name"),
    "deals": ("name", "dealname"),
}
FIELDS = {
    "contacts": (("job_title", "jobtitle"), ("city", "city"), ("address", "address")),
    "companies": (("city", "city"), ("description", "description"), ("state", "state")),
    "deals": (("description", "description"), ("amount", "amount")),
}
REFERENCES = {"contacts": "companies", "deals": "companies"}
LETTERS = "bcdfghjklmnpqrstvwxz"


@dataclass(frozen=True, slots=True)
class Done:
    """An edit: what the field held before and afterwards, and between which moments it was made."""

    side: str
    object: str
    token: str
    field: str
    old: str
    new: str
    began: float
    ended: float


@dataclass(slots=True)
class People:
    """One organisation's admin and the people at its CRM; `tokens` name every record there is, and
    `lost` those that somebody archived or merged there.
    """

    person: Person
    connection_id: UUID
    crm: Simulated
    portal: int
    random: Random
    done: list[Done] = field(default_factory=list)
    tokens: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in OBJECTS})
    lost: set[tuple[str, str]] = field(default_factory=set)
    count: int = 0

    def token(self, name: str) -> str:
        """Return a name unlike any other: records never look alike by accident."""
        self.count += 1
        text = "".join(self.random.choice(LETTERS) for _ in range(9))
        token = f"{text}{self.count}"
        self.tokens[name].append(token)
        return token

    def value(self, field_name: str) -> str:
        self.count += 1
        return str(self.count * 10) if field_name == "amount" else f"value {self.count}"

    def act(self, edit: Edit) -> None:
        """Do one step of the workload."""
        deed = self._deeds().get(edit.kind)
        if deed is not None:
            deed(edit)
            return
        side, _, what = edit.kind.partition("_")
        self._change(side, edit, blank=what == "blank")

    def _deeds(self) -> Mapping[str, Callable[[Edit], object]]:
        return {
            "ours_create": lambda edit: self.create_ours(edit.object),
            "theirs_create": lambda edit: self.create_theirs(edit.object),
            "ours_refer": self._refer,
            "collide": self._collide,
            "run_delta": lambda _: self.ask("delta"),
            "run_full": lambda _: self.ask("full"),
            "run_record": self._ask_record,
            "resolve": self._resolve,
            "theirs_associate": self._associate,
            "theirs_archive": self._archive,
            "theirs_merge": self._merge,
            "ours_archive": self._archive_ours,
            "token_ends": lambda edit: admins.end_token(self, edit),
            "publish": lambda edit: admins.publish(self, edit),
        }

    def _collide(self, edit: Edit) -> None:
        self._change("ours", edit)
        self._change("theirs", edit)

    def _change(self, side: str, edit: Edit, *, blank: bool = False) -> None:
        tokens = self.tokens[edit.object]
        token = tokens[int(edit.draw * len(tokens))]
        pairs = FIELDS[edit.object]
        pair = pairs[int(edit.draw * 1000) % len(pairs)]
        value = "" if blank else self.value(pair[0])
        if side == "ours":
            self.edit_ours(edit.object, token, pair[0], value)
        else:
            self.edit_theirs(edit.object, token, pair, value)

    def edit_ours(self, name: str, token: str, field_name: str, value: str) -> bool:
        """Save one field of ours; a record that is not here yet is left alone."""
        for _ in range(20):
            row = self.ours(name).get(token)
            if row is None:
                return False
            sent: Json = {"amount": value, "currency": "EUR"} if field_name == "amount" else value
            began = time.time()
            try:
                records.save(
                    person=self.person,
                    record_id=row["id"],
                    changes={field_name: sent if value else None},
                    seen_version=row["version"],
                )
            except Stale:
                continue
            except NotFound:
                return False
            old = plain(row["data"].get(field_name))
            if old == value:
                return False
            self._note("ours", name, token, field_name, (old, value), began)
            return True
        return False

    def edit_theirs(self, name: str, token: str, pair: tuple[str, str], value: str) -> bool:
        """Save one field at the CRM."""
        row = self.theirs(name).get(token)
        if row is None:
            return False
        began = time.time()
        body = {"object": name, "id": row["id"], "properties": {pair[1]: value}}
        self.crm.post(f"edit?portal={self.portal}", body)
        self._note("theirs", name, token, pair[0], ("?", value), began)
        return True

    def _note(
        self, side: str, name: str, token: str, field_name: str, pair: tuple[str, str], began: float
    ) -> None:
        self.done.append(Done(side, name, token, field_name, *pair, began, time.time()))

    def create_ours(self, name: str) -> None:
        token = self.token(name)
        data: dict[str, Json] = {field: self.value(field) for field, _ in FIELDS[name][:1]}
        data |= _named(name, token)
        if name == "deals":
            data["stage"] = "new"
        record_id, began = new_id(), time.time()
        with transaction() as cursor:
            kind = kinds()[KIND[name]]
            new = NewRecord(record_id, kind, data)
            record_store.insert_records(cursor, self.person.organization_id, [new])
            record_store.fan_out(cursor, [record_id], rank=record_store.PEOPLE)
        first = FIELDS[name][0][0]
        self._note("ours", name, token, first, ("", plain(data[first])), began)

    def create_theirs(self, name: str) -> None:
        token = self.token(name)
        ours, theirs = FIELDS[name][0]
        value, began = self.value(ours), time.time()
        properties = {**remote_names(name, token), theirs: value}
        body = {"object": name, "id": None, "properties": properties}
        self.crm.post(f"edit?portal={self.portal}", body)
        self._note("theirs", name, token, ours, ("", value), began)

    def _refer(self, edit: Edit) -> None:
        other = REFERENCES.get(edit.object)
        targets, sources = self.ours("companies"), self.ours(edit.object)
        if other is None or not targets or not sources:
            return
        target = sorted(targets)[int(edit.draw * len(targets))]
        row = sources[sorted(sources)[int(edit.draw * len(sources))]]
        try:
            records.save(
                person=self.person,
                record_id=row["id"],
                changes={"company": str(targets[target]["id"])},
                seen_version=row["version"],
            )
        except (Stale, NotFound):
            # Somebody was faster; a person would look again.
            return

    def _resolve(self, edit: Edit) -> None:
        """Settle an open conflict one way or the other, as it is on the page."""
        rows = self.rows("SELECT * FROM conflict WHERE state = 'open' ORDER BY id")
        if rows:
            row = rows[int(edit.draw * len(rows))]
            choice = ("ours", "theirs")[int(edit.draw * 1000) % 2]
            with suppress(CrmAdminError):
                conflicts.resolve(
                    person=self.person,
                    conflict_id=row["id"],
                    choice=choice,
                    seen=conflicts.seen_of(row),
                )

    def _associate(self, edit: Edit) -> None:
        """Put a record of theirs together with a company, or take them apart."""
        sources, companies = self.theirs(edit.object), self.theirs("companies")
        if edit.object in REFERENCES and sources and companies:
            body = {
                "object": edit.object,
                "id": sources[sorted(sources)[int(edit.draw * len(sources))]]["id"],
                "to": "companies",
                "to_id": companies[sorted(companies)[int(edit.draw * 977) % len(companies)]]["id"],
                "add": edit.draw < 0.7,
                "primary": True,
            }
            self.crm.post(f"associate?portal={self.portal}", body)

    def _archive(self, edit: Edit) -> None:
        """Throw a record of theirs away; ours stays and says so."""
        token, row = self._some_of_theirs(edit.object, edit.draw)
        if row is not None:
            self.lost.add((edit.object, token))
            body = {"object": edit.object, "id": row["id"], "archived": True}
            self.crm.post(f"edit?portal={self.portal}", body)

    def _archive_ours(self, edit: Edit) -> None:
        """Throw a record of ours away; theirs goes with it where the policy says so."""
        rows = self.ours(edit.object)
        if rows:
            token = sorted(rows)[int(edit.draw * len(rows))]
            self.lost.add((edit.object, token))
            with suppress(NotFound):
                record_life.archive(person=self.person, record_id=rows[token]["id"])

    def _merge(self, edit: Edit) -> None:
        """Merge two records of theirs; which of ours then stands for both is for a person."""
        (keep, first), (lose, second) = (
            self._some_of_theirs(edit.object, draw) for draw in (edit.draw, 1 - edit.draw)
        )
        if first is not None and second is not None and first["id"] != second["id"]:
            self.lost |= {(edit.object, keep), (edit.object, lose)}
            body = {"object": edit.object, "id": first["id"], "other": second["id"]}
            self.crm.post(f"merge?portal={self.portal}", body)

    def _some_of_theirs(self, name: str, draw: float) -> tuple[str, dict | None]:
        rows = self.theirs(name)
        if not rows:
            return "", None
        token = sorted(rows)[int(draw * len(rows))]
        return token, rows[token]

    def ask(self, mode: str) -> UUID | None:
        """Ask for a run; a refusal in words is an answer too."""
        try:
            reference = sync_runs.start(
                person=self.person, connection_id=self.connection_id, mode=mode, staged=False
            )
        except CrmAdminError:
            return None
        return reference.id

    def _ask_record(self, edit: Edit) -> None:
        rows = self.ours(edit.object)
        if rows:
            row = rows[sorted(rows)[int(edit.draw * len(rows))]]
            try:
                sync_runs.sync_record(person=self.person, record_id=row["id"])
            except CrmAdminError:
                # The connection only observes yet.
                return

    def rows(self, query: str, *values: object) -> list[dict]:
        with transaction() as cursor:
            return cursor.execute(query, values).fetchall()

    def ours(self, name: str) -> dict[str, dict]:
        """Return our living records by token."""
        found = self.rows("SELECT * FROM record WHERE kind = %s AND deleted_at IS NULL", KIND[name])
        key = NAME[name][0]
        return {token_of(row["data"].get(key)): row for row in found}

    def all_theirs(self, name: str) -> Iterator[dict]:
        query = f"records?object={name}&limit=5000&portal={self.portal}"
        yield from self.crm.get(query)["records"]

    def theirs(self, name: str) -> dict[str, dict]:
        """Return the CRM's living records by token."""
        key = NAME[name][1]
        return {token_of(row["properties"].get(key)): row for row in self.all_theirs(name)}

    def log(self) -> list[dict]:
        return self.crm.get(f"log?after=0&limit=100000&portal={self.portal}")["entries"]


def _named(name: str, token: str) -> dict[str, Json]:
    ours = NAME[name][0]
    return {ours: f"{token}@harbour.example.com" if name == "contacts" else token}


def remote_names(name: str, token: str) -> dict[str, str]:
    """Return the properties by which a record of the CRM is known."""
    theirs = NAME[name][1]
    named = {theirs: f"{token}@harbour.example.com" if name == "contacts" else token}
    return {**named, "dealstage": "appointmentscheduled"} if name == "deals" else named


def token_of(value: object) -> str:
    return str(value or "").partition("@")[0]


def plain(value: object) -> str:
    """Return a value of either side as one text that both sides share."""
    if isinstance(value, dict):
        value = value.get("amount")
    text = "" if value is None else str(value)
    return text.removesuffix(".0").removesuffix(".00")


def move_in(
    crm: Simulated, portal: int, random: Random, *, marker: bool, signed_in: bool = False
) -> People:
    """Return a new organisation with one connection to an account of its own, by a key or by a
    sign-in.
    """
    organization_id, user_id = new_id(), new_id()
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO organization (id, name, slug) VALUES (%s, 'Harbour', %s)",
            (organization_id, str(organization_id)),
        )
        email = f"{user_id}@example.test"
        cursor.execute(
            "INSERT INTO app_user (id, email, email_key, name) VALUES (%s, %s, %s, 'Ana Silva')",
            (user_id, email, email),
        )
    person = Person(user_id, "Ana Silva", Role.ADMIN, organization_id)
    token = f"pat-crash-{portal}"
    scopes = [
        f"crm.{area}.{name}.{right}"
        for area in ("objects", "schemas")
        for name in OBJECTS
        for right in ("read", "write")
        if marker or (area, right) != ("schemas", "write")
    ]
    crm.post("config", {"tokens": {token: {"portal": portal, "scopes": scopes}}})
    with tenancy.acting_for(organization_id):
        connection_id = connections.create(
            person=person,
            provider="hubspot",
            name="HubSpot",
            environment="simulator",
            endpoint=crm.url,
            secrets={"access_token": token},
            settings={},
        )
        connections.choose_streams(
            person=person,
            connection_id=connection_id,
            choices=default_choices("hubspot", list(OBJECTS)),
        )
    people = People(person, connection_id, crm, portal, random)
    if signed_in:
        people.portal = DEMO_PORTAL
        with tenancy.acting_for(organization_id):
            admins.sign_in(people, marker=marker)
    return people
