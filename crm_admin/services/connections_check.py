"""The check list of a connection: run in the background, stored line by line, with what it teaches
about the account.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from crm_admin import clock, dispatch, tenancy
from crm_admin.errors import CrmAdminError
from crm_admin.packs.registry import default_mappings
from crm_admin.providers.base import Account, CheckLine
from crm_admin.services import remote
from crm_admin.services.access import Person
from crm_admin.services.connections_rows import locked
from crm_admin.services.engine.opening import describe
from crm_admin.services.sql import Cursor, Row, dumps, transaction

REFUSALS = {"credentials", "scopes", "account"}


def start_check(*, person: Person, connection_id: UUID) -> None:
    """Have the check list run in the background; its lines appear on the connection one by one."""
    with transaction() as cursor:
        locked(cursor, connection_id)
        _store_lines(cursor, connection_id, [], running=True)
    if not dispatch.enqueue(
        "connections.check",
        person.organization_id,
        connection_id,
        turn=int(clock.now().timestamp()),
        urgent=True,
    ):
        check(person.organization_id, connection_id)


def check(organization_id: UUID, connection_id: UUID) -> list[CheckLine]:
    """Run the check list now and return its lines; each is stored as it is known, nothing is
    written to the CRM. Another account than the connection's fails its line and is not learnt.
    """
    lines: list[CheckLine] = []
    with tenancy.acting_for(organization_id):
        with transaction() as cursor:
            row = cursor.execute(
                "SELECT * FROM connection WHERE id = %s", (connection_id,)
            ).fetchone()
            if row is None:
                return []
            objects = _objects(cursor, row)
        try:
            with remote.opened(row) as opened:
                _run(row, opened, objects, lines)
        except CrmAdminError as error:
            lines.append(CheckLine("stopped", "Check list", ok=False, sentence=error.sentence))
        with transaction() as cursor:
            _store_lines(cursor, connection_id, lines, running=False)
            _store_health(cursor, connection_id, lines)
    return lines


def _run(row: Row, opened: remote.Opened, objects: Sequence[str], lines: list[CheckLine]) -> None:
    account: Account | None = None
    for line in opened.provider.check(objects):
        shown = line
        if line.name == "account" and line.ok:
            account = opened.provider.account()
            shown = _same_account(row, account, line)
        lines.append(shown)
        with transaction() as cursor:
            _store_lines(cursor, row["id"], lines, running=True)
    if account is not None and all(line.ok for line in lines):
        describe(opened.provider, row["id"], list(objects))
        _learn(row["id"], account, opened.provider.clock_offset())


def _same_account(row: Row, account: Account, line: CheckLine) -> CheckLine:
    sentence = other_account(row, account.id)
    if not sentence:
        return line
    fix = "Enter credentials of the former account, or reset the links under Danger."
    return CheckLine(line.name, line.label, ok=False, sentence=sentence, fix=fix)


def other_account(row: Row, account_id: str) -> str:
    """Say that credentials lead to another account than the connection's; nothing when they do
    not.
    """
    known = str((row["account"] or {}).get("id") or "")
    if not known or not account_id or known == account_id:
        return ""
    return (
        f"These credentials are of account {account_id}; {row['name']} and its links belong to"
        f" account {known}."
    )


def _objects(cursor: Cursor, row: Row) -> list[str]:
    rows = cursor.execute(
        "SELECT DISTINCT remote_object FROM stream WHERE connection_id = %s AND enabled",
        (row["id"],),
    ).fetchall()
    names = [found["remote_object"] for found in rows]
    return names or sorted({item.remote_object for item in default_mappings(row["provider"])})


def _store_lines(
    cursor: Cursor, connection_id: UUID, lines: Sequence[CheckLine], *, running: bool
) -> None:
    shown: list[Mapping[str, object]] = [
        {
            "name": line.name,
            "label": line.label,
            "ok": line.ok,
            "sentence": line.sentence,
            "fix": line.fix,
        }
        for line in lines
    ]
    checks = {"running": running, "at": clock.now().isoformat(), "lines": shown}
    cursor.execute(
        "UPDATE connection SET checks = %s WHERE id = %s", (dumps(checks), connection_id)
    )


def _store_health(cursor: Cursor, connection_id: UUID, lines: Sequence[CheckLine]) -> None:
    """What the list found; a connection nobody is signed in to stays disconnected."""
    bad = next((line for line in lines if line.ok is False), None)
    health = "ok" if bad is None else ("needs_reconnect" if bad.name in REFUSALS else "broken")
    cursor.execute(
        "UPDATE connection SET health = CASE WHEN health = 'needs_reconnect' AND %(bad)s = 'broken'"
        " THEN health ELSE %(bad)s END, health_reason = %(reason)s, health_at = now()"
        " WHERE id = %(id)s AND health <> 'disconnected'",
        {"bad": health, "reason": bad.sentence if bad else None, "id": connection_id},
    )


def _learn(connection_id: UUID, account: Account, clock_offset: float) -> None:
    with transaction() as cursor:
        cursor.execute(
            "UPDATE connection SET account = %s, clock_offset = %s WHERE id = %s",
            (dumps(account), clock_offset, connection_id),
        )
