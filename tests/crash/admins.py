"""What admins do to a connection while workers are killed: sign-ins that end, policies, mappings,
keys.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import current_app

from crm_admin.mapping.rules import FieldRule, Step
from crm_admin.services import connections_credentials, keys, mapping_versions, oauth, oauth_apps
from crm_admin.services.engine.streams import rule_from_row
from crm_admin.services.sealing import tokens_of
from crm_admin.sync.facts import Rewrite
from tests.crash.plan import KIND, Edit
from tests.services.engine.oauth_desk import CLIENT, SESSION, come_back, consent

if TYPE_CHECKING:
    from tests.crash.people import People

TRIM = Step("trim")
REST_SECONDS = (-60.0, 10.0, 200.0)
"""A token that is over, one that nobody may begin with, and one that may do for a while."""

RULES = """
SELECT s.id AS stream, m.percent, f.* FROM stream s
  JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version
  JOIN field_rule f ON f.mapping_version_id = m.id
 WHERE s.kind = %s ORDER BY f.position
"""


def sign_in(people: "People", *, marker: bool) -> None:
    """Have the connection signed in to by a person, who may grant no right to make fields."""
    named = {"person": people.person, "connection_id": people.connection_id}
    connections_credentials.set_app(**named, **CLIENT)
    url = urlsplit(oauth.start(**named, session_hash=SESSION))
    asked = dict(parse_qsl(url.query))
    granted = [
        scope
        for scope in asked["scope"].split()
        if marker or not (scope.startswith("crm.schemas.") and scope.endswith(".write"))
    ]
    query = urlencode({**asked, "scope": " ".join(granted)})
    back = consent(url._replace(query=query).geturl())
    done = come_back(people.person, back, oauth_apps.callback_url("hubspot"))
    if not done.connected:
        raise RuntimeError(done.sentence)


def end_token(people: "People", edit: Edit) -> None:
    """Have the access token end soon, or be over; the CRM may refuse it already."""
    seconds = REST_SECONDS[int(edit.draw * 1000) % len(REST_SECONDS)]
    rows = people.rows(
        "UPDATE oauth_token SET expires_at = now() + make_interval(secs => %s)"
        " WHERE connection_id = %s RETURNING secrets",
        seconds,
        people.connection_id,
    )
    if rows and edit.draw < 0.5:
        box = tokens_of(people.person.organization_id, people.connection_id)
        access = box.opened(rows[0]["secrets"])["access_token"]
        people.crm.post("config", {"tokens": {access: {"revoked": True}}})


def let_deletes_through(people: "People") -> None:
    """From now on a record that is thrown away on one side goes on the other one too."""
    people.rows("UPDATE stream SET gone_there = 'delete', deleted_here = 'archive' RETURNING id")


def publish(people: "People", edit: Edit) -> None:
    """Publish a mapping that makes the same values in another way, for half of the records first;
    the next time for the others.
    """
    rows = people.rows(RULES, KIND[edit.object])
    stream_id, person = rows[0]["stream"], people.person
    if rows[0]["percent"] < 100:
        mapping_versions.widen(person=person, stream_id=stream_id, percent=100)
        return
    rules = [rule_from_row(row) for row in rows]
    place = next(n for n, rule in enumerate(rules) if rule.ours in PLAIN)
    rules[place] = _other_way(rules[place])
    choice = list(Rewrite)[int(edit.draw * 1000) % len(Rewrite)]
    mapping_versions.publish(
        person=person,
        stream_id=stream_id,
        rules=rules,
        choices={rules[place].id: choice},
        percent=100 if edit.draw < 0.5 else 50,
    )


PLAIN = {"city", "address", "description", "state", "job_title"}


def _other_way(rule: FieldRule) -> FieldRule:
    steps = tuple(step for step in rule.steps if step != TRIM)
    return replace(rule, steps=steps if steps != rule.steps else (*steps, TRIM))


def rotate_keys(people: "People") -> None:
    """Seal every secret of this organisation under the next key, one row at a time; for a process
    of its own, whose settings name that key first.
    """
    settings = current_app.config["CRM"]
    turned = tuple(reversed(settings.encryption_keys))
    current_app.config["CRM"] = replace(settings, encryption_keys=turned)
    keys.BATCH = 1
    keys.organizations.all_ids = lambda: [people.person.organization_id]
    keys.rotate()


def of_keys(people: "People") -> list[str]:
    """Return which secrets still need the former key once a rotation has ended."""
    current = current_app.config["CRM"].encryption_keys[-1][0]
    sealed: list[Mapping[str, str]] = [
        row["sealed"]
        for column in keys.COLUMNS
        for row in people.rows(f"SELECT {column.column} AS sealed FROM {column.table}")
    ]
    left = [text for one in sealed for text in one.values() if text.split(".")[1] != current]
    return [f"I16 {len(left)} secrets still need the former key"] if left else []


@contextmanager
def without_former_key() -> Iterator[None]:
    """Work on with the next key alone, as an admin does after a rotation."""
    settings = current_app.config["CRM"]
    alone = settings.encryption_keys[-1:]
    current_app.config["CRM"] = replace(settings, encryption_keys=alone)
    try:
        yield
    finally:
        current_app.config["CRM"] = settings
