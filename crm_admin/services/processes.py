"""Which processes of ours are alive and what they use, for Home, the queue and the doctor."""

import os
import resource
import socket
from pathlib import Path

import orjson
from sqlalchemy import text

from crm_admin.database import Role, engine_for

BEAT = text("""
INSERT INTO process (name, kind, pid, host, started_at, seen_at, info)
VALUES (:name, :kind, :pid, :host, now(), now(), CAST(:info AS jsonb))
ON CONFLICT (name) DO UPDATE SET seen_at = now(), info = excluded.info || jsonb_build_object(
  'cpu_percent', CASE WHEN now() > process.seen_at THEN round(CAST(
    (CAST(excluded.info ->> 'cpu_seconds' AS float8)
     - coalesce(CAST(process.info ->> 'cpu_seconds' AS float8), 0))
    / extract(epoch FROM now() - process.seen_at) * 100 AS numeric), 1) END)
""")

FORGET = text("DELETE FROM process WHERE seen_at < now() - interval '1 day'")

STATM = Path("/proc/self/statm")


def beat(kind: str) -> None:
    """Note that this process is alive, with the processor time and the memory it uses."""
    host, pid = socket.gethostname(), os.getpid()
    with engine_for(Role.APP).begin() as connection:
        connection.execute(
            BEAT,
            {
                "name": f"{kind}:{host}:{pid}",
                "kind": kind,
                "pid": pid,
                "host": host,
                "info": orjson.dumps(usage()).decode(),
            },
        )
        connection.execute(FORGET)


def usage() -> dict[str, float]:
    """Return the processor seconds of this process and its ended children, and megabytes: what it
    holds now, and the most that one child held.
    """
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return {
        "cpu_seconds": round(seconds, 2),
        "memory_mb": round(_held() / 1e6, 1),
        "child_peak_mb": round(children.ru_maxrss * 1024 / 1e6, 1),
    }


def _held() -> float:
    if STATM.exists():
        return int(STATM.read_text().split()[1]) * float(resource.getpagesize())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
