"""Which pages of ours are measured, by address: the cursors of deep pages are looked up once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask

from bench.pages_world import ORGANIZATIONS
from crm_admin.services import sessions
from crm_admin.services.queries import paging

DEEP = 10_000
KIND = "deal"


def signed_in(app: Flask, connection: psycopg.Connection[Any]) -> str:
    """Return the cookie of an admin who has just signed in."""
    row = connection.execute(
        "SELECT user_id FROM membership WHERE organization_id = %s AND role = 'admin'",
        (ORGANIZATIONS[0],),
    ).fetchone()
    if row is None:
        raise SystemExit("The organisation has no admin.")
    with app.app_context():
        token = sessions.start(
            user_id=row[0], organization_id=ORGANIZATIONS[0], address="127.0.0.1", agent="bench"
        )
    return f"crm_session={token}"


def pages(connection: psycopg.Connection[Any], records: int) -> Mapping[str, str]:
    """Return the address of each page by its name."""
    deal, email = _one_record(connection), f"person.{records // 2 // 20 * 20}@"
    history = "/admin/crm/sync/history"
    amounts = f"/records/{KIND}?sort=amount"
    return {
        "records first": amounts,
        "records deep": f"{amounts}&after={_amount_after(connection, records)}",
        "records by stage": f"/records/{KIND}?stage=won",
        "records by stage and amount": f"{amounts}&stage=won",
        "records by title": f"/records/{KIND}?sort=title",
        "records not in a CRM": f"/records/{KIND}?view=missing",
        "records failed": f"/records/{KIND}?view=failed",
        "contacts": "/records/contact",
        "POVs": "/povs",
        "history first": history,
        "history deep": f"{history}?after={_run_after(connection, records)}",
        "history by connection": f"{history}?connection={_first(connection, 'connection')}",
        "history by error": f"{history}?status=failed",
        "conflicts": "/admin/crm/conflicts",
        "search name": f"/records/{KIND}?q=Nordlicht+Bu",
        "search rare name": f"/records/{KIND}?q=Nordlicht+{records // 2}",
        "search e-mail": f"/records/contact?q={email}",
        "search id": f"/records/{KIND}?q={deal['external_id']}",
        "search nothing": f"/records/{KIND}?q=zzzzz",
        "record": f"/records/{KIND}/{deal['id']}",
        "home": "/admin/crm",
    }


def cold(connection: psycopg.Connection[Any]) -> Mapping[str, str]:
    """Return the pages that are weighed as a browser gets them that was never here."""
    row = connection.execute(
        "SELECT id FROM sync_run WHERE organization_id = %s AND state = 'planned'"
        " ORDER BY created_at DESC LIMIT 1",
        (ORGANIZATIONS[0],),
    ).fetchone()
    plan = f"/admin/crm/sync/plans/{row[0]}" if row else "/admin/crm/sync/history"
    return {"home": "/admin/crm", "POVs": "/povs", "plan": plan}


def _one_record(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    row = connection.execute(
        "SELECT id, external_id FROM record WHERE organization_id = %s AND kind = %s"
        " AND external_id IS NOT NULL ORDER BY id LIMIT 1",
        (ORGANIZATIONS[0], KIND),
    ).fetchone()
    return dict(zip(("id", "external_id"), row or (), strict=True))


def _first(connection: psycopg.Connection[Any], table: str) -> UUID:
    row = connection.execute(
        f"SELECT id FROM {table} WHERE organization_id = %s ORDER BY id LIMIT 1",  # noqa: S608 - our own name
        (ORGANIZATIONS[0],),
    ).fetchone()
    return UUID(str((row or (None,))[0]))


def _amount_after(connection: psycopg.Connection[Any], records: int) -> str:
    """Return the place before page 10,000, or as deep as there are records for it."""
    row = connection.execute(
        "SELECT amount::text, id FROM record WHERE organization_id = %s AND kind = %s"
        " AND amount IS NOT NULL AND deleted_at IS NULL ORDER BY amount DESC, id DESC"
        " OFFSET %s LIMIT 1",
        (ORGANIZATIONS[0], KIND, min(DEEP * paging.PAGE, records // 2) - 1),
    ).fetchone()
    value, record_id = row or ("", UUID(int=0))
    return paging.encode(value, record_id)


def _run_after(connection: psycopg.Connection[Any], records: int) -> str:
    row = connection.execute(
        "SELECT created_at, id FROM sync_run WHERE organization_id = %s"
        " ORDER BY created_at DESC, id DESC OFFSET %s LIMIT 1",
        (ORGANIZATIONS[0], min(DEEP * paging.PAGE, records // 2) - 1),
    ).fetchone()
    moment, run_id = row or (datetime.now(UTC) - timedelta(days=1), UUID(int=0))
    return paging.encode(moment.isoformat(), run_id)
