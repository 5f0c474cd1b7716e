"""Which processes of ours are alive, for Home and the doctor."""

import os
import socket

from sqlalchemy import text

from crm_admin.database import Role, engine_for

BEAT = text("""
INSERT INTO process (name, kind, pid, host, started_at, seen_at, info)
VALUES (:name, :kind, :pid, :host, now(), now(), '{}')
ON CONFLICT (name) DO UPDATE SET seen_at = now()
""")

FORGET = text("DELETE FROM process WHERE seen_at < now() - interval '1 day'")


def beat(kind: str) -> None:
    """Note that this process is alive."""
    host, pid = socket.gethostname(), os.getpid()
    with engine_for(Role.APP).begin() as connection:
        connection.execute(
            BEAT, {"name": f"{kind}:{host}:{pid}", "kind": kind, "pid": pid, "host": host}
        )
        connection.execute(FORGET)
