"""Brings a database up to the newest migration, and knows cheaply when there is nothing to do."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg

from crm_admin.errors import Unavailable
from crm_admin.launcher.servers import PostgreSQL

REVISION: Final = re.compile(r"^revision\b.*?=\s*[\"'](\w+)[\"']", re.MULTILINE)
BEFORE: Final = re.compile(r"^down_revision\b.*?=\s*[\"'](\w+)[\"']", re.MULTILINE)


def upgrade(
    checkout: Path, environ: Mapping[str, str], *, server: PostgreSQL | None, database: str
) -> None:
    """Apply what is missing; a server of our own is asked first whether anything is."""
    wanted = heads(checkout / "migrations")
    if not wanted or (server is not None and applied(server, database) == wanted):
        return
    done = subprocess.run(
        [sys.executable, "-m", "flask", "db", "upgrade"],
        cwd=checkout,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unavailable(f"The database could not be brought up to date:\n{done.stderr.strip()}")


def heads(folder: Path) -> set[str]:
    """Return the revisions no other follows, read from the files alone."""
    texts = [path.read_text(encoding="utf-8") for path in (folder / "versions").glob("*.py")]
    revisions = {name for text in texts for name in REVISION.findall(text)}
    return revisions - {name for text in texts for name in BEFORE.findall(text)}


def applied(server: PostgreSQL, database: str) -> set[str]:
    """Return the revisions the database is at; none when it is new."""
    with server.connect(database) as connection:
        try:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        except psycopg.errors.UndefinedTable:
            return set()
    return {str(name) for (name,) in rows}
