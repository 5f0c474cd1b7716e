"""Two organisations of equal size, made by SQL: one alone would hide what the planner
misjudges."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg

from bench.world import OURS, World

ROWS: Final = Path(__file__).with_suffix(".sql").with_stem("pages")
ORGANIZATIONS: Final = (UUID(int=1 << 64), UUID(int=2 << 64))
FILLED: Final = (
    "record",
    "record_key",
    "reference",
    "link",
    "outbox",
    "conflict",
    "sync_run",
)
SESSION: Final = (
    "SET maintenance_work_mem = '1GB'",
    "SET work_mem = '256MB'",
    "SET synchronous_commit = off",
    # foreign keys hold by the way rows are made
    "SET session_replication_role = replica",
)
INDEXES: Final = """
SELECT x.indexrelid::regclass::text AS name, pg_get_indexdef(x.indexrelid) AS made
  FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
 WHERE c.relname = ANY(%s) AND NOT EXISTS (
       SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid)
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of each there is in one organisation."""

    records: int
    runs: int
    conflicts: int

    @classmethod
    def of(cls, records: int) -> "Size":
        """Return the mix at that many records: as many runs, a tenth as many conflicts."""
        return cls(records, records, records // 10)


def fill(found: World, size: Size) -> None:
    """Fill both organisations; afterwards the planner knows them as autovacuum would."""
    with found.cluster.connect(OURS) as connection:
        for setting in SESSION:
            connection.execute(setting)
        connection.execute("SELECT ensure_partitions(3, 14)")
        with _without_indexes(connection):
            for space, organization in enumerate(ORGANIZATIONS, start=1):
                _fill_one(connection, size, space, organization)
        connection.execute("VACUUM (ANALYZE)")


def _fill_one(
    connection: psycopg.Connection[Any], size: Size, space: int, organization: UUID
) -> None:
    values = {
        "organization": organization,
        "space": space,
        "amount": size.records,
        "runs": size.runs,
        "conflicts": size.conflicts,
    }
    bound = psycopg.ClientCursor(connection)
    for statement in ROWS.read_text(encoding="utf-8").split("------\n"):
        bound.execute(statement, values if "%(" in statement else None)


@contextmanager
def _without_indexes(connection: psycopg.Connection[Any]) -> Iterator[None]:
    indexes = connection.execute(INDEXES, (list(FILLED),)).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, made in indexes:
        connection.execute(made)
