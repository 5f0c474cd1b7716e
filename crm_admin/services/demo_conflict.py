"""Makes a conflict to practise on: one deal changed on both sides. Only in demo organisations, only
against simulators.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from crm_admin.errors import BadInput, Unavailable
from crm_admin.jsontypes import Json
from crm_admin.outward.calls import Request
from crm_admin.outward.failures import CallFailed
from crm_admin.outward.transport import Endpoint, Transport, Wiring
from crm_admin.services import records, sync_runs
from crm_admin.services.access import Person
from crm_admin.services.engine.requests import RunRef
from crm_admin.services.remote import private_networks
from crm_admin.services.sql import Row, transaction

FIELD = "revenue"
AMOUNT = "amount"
"""What people see of it in the simulator of HubSpot, whatever name the mapping has for the pair of
amount and currency.
"""

CHOSEN = """
SELECT r.id, r.title, r.version, r.data -> 'revenue' AS revenue, l.remote_object, l.remote_id,
       c.id AS connection_id, c.endpoint
  FROM organization o
  JOIN connection c ON c.organization_id = o.id AND c.environment = 'simulator'
   AND c.stance = 'active' AND c.health = 'ok'
  JOIN stream s ON s.organization_id = o.id AND s.connection_id = c.id AND s.kind = 'pov'
   AND s.enabled
  JOIN mapping_version m ON m.organization_id = o.id AND m.stream_id = s.id
   AND m.number = s.mapping_version
  JOIN field_rule f ON f.organization_id = o.id AND f.mapping_version_id = m.id
   AND f.ours = 'revenue' AND coalesce(f.policy, s.policy) = 'manual'
  JOIN link l ON l.organization_id = o.id AND l.stream_id = s.id AND l.status = 'linked'
   AND l.remote_id IS NOT NULL AND l.base_theirs ? f.rule_id
  JOIN record r ON r.organization_id = o.id AND r.id = l.record_id AND r.deleted_at IS NULL
   AND r.data ? 'revenue'
 WHERE o.id = %s AND o.demo
   AND NOT EXISTS (SELECT 1 FROM conflict k WHERE k.organization_id = o.id
                      AND k.record_id = r.id AND k.state = 'open')
 ORDER BY r.updated_at, r.id LIMIT 1
"""


def make(*, person: Person) -> tuple[str, RunRef]:
    """Change one POV's revenue here and its deal in the simulator, start a sync, and return the
    POV's title and the run.

    BadInput when there is nothing to practise on.
    """
    with transaction() as cursor:
        row = cursor.execute(CHOSEN, (person.organization_id,)).fetchone()
    if row is None:
        raise BadInput(
            "", "There is no synced POV to practise on. Connect the simulator and apply a plan."
        )
    amount, currency = _money(row["revenue"])
    records.save(
        person=person,
        record_id=row["id"],
        changes={FIELD: {"amount": str(amount + 1_000), "currency": currency}},
        seen_version=row["version"],
        reason="Changed to make a conflict to practise on.",
    )
    _edit_theirs(row, {AMOUNT: str(amount + 2_500)})
    connection_id: UUID = row["connection_id"]
    reference = sync_runs.start(
        person=person, connection_id=connection_id, mode="delta", staged=False
    )
    return str(row["title"] or "a POV"), reference


def _money(stored: Mapping[str, Any] | None) -> tuple[int, str]:
    held = stored or {}
    text = str(held.get("amount") or "0").partition(".")[0]
    return int(text) if text.lstrip("-").isdigit() else 0, str(held.get("currency") or "EUR")


def _edit_theirs(row: Row, properties: Mapping[str, Json]) -> None:
    """Edit the deal as a person would in the simulator's own page."""
    transport = Transport(Endpoint(row["endpoint"]), Wiring(private_networks=private_networks()))
    body = {"object": row["remote_object"], "id": row["remote_id"], "properties": properties}
    try:
        answer = transport.send(Request("POST", "/_sim/edit", orjson.dumps(body)))
    except CallFailed as failure:
        raise Unavailable(f"The simulator does not answer: {failure.sentence}") from failure
    finally:
        transport.close()
    if not answer.ok:
        raise Unavailable(f"The simulator refused the edit with {answer.status}.")
