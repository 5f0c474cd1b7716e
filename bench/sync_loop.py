"""The limit in the sync measurement: a bare loop that reads pages and upserts them as they come."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import urllib3

from bench.meter import figures, metered

SLICE = 10

SETUP = """
CREATE SCHEMA bare;
SET search_path = bare;
CREATE TABLE contact (id text PRIMARY KEY, data jsonb NOT NULL, updated_at timestamptz);
CREATE TEMP TABLE stage (id text, data jsonb, updated_at timestamptz) ON COMMIT DELETE ROWS
"""
UPSERT = """
INSERT INTO contact SELECT * FROM stage
ON CONFLICT (id) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at
"""


def pages(asked: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the results of every page."""
    pool = urllib3.HTTPConnectionPool("127.0.0.1", int(asked["url"].rpartition(":")[2]))
    headers = {"Authorization": f"Bearer {asked['token']}"}
    path = f"{asked['path']}?limit=100&properties={asked['properties']}"
    after = ""
    while True:
        answer = orjson.loads(pool.request("GET", f"{path}{after}", headers=headers).data)
        yield answer["results"]
        if "paging" not in answer:
            return
        after = f"&after={answer['paging']['next']['after']}"


def measure(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of the loop; it maps, matches and remembers nothing."""
    with psycopg.connect(**asked["database"]) as connection, connection.cursor() as cursor:
        cursor.execute(SETUP)
        connection.commit()
        stored, waiting = 0, 0
        rows: list[dict[str, Any]] = []
        with metered() as meter:
            for page in pages(asked):
                rows += page
                waiting += 1
                if waiting == SLICE:
                    stored += _store(cursor, rows)
                    rows, waiting = [], 0
            stored += _store(cursor, rows)
    return figures(meter, stored)


def _store(cursor: psycopg.Cursor[Any], rows: list[dict[str, Any]]) -> int:
    with cursor.copy("COPY stage FROM STDIN") as copy:
        for row in rows:
            data = orjson.dumps(row["properties"]).decode()
            copy.write_row((row["id"], data, row["updatedAt"]))
    cursor.execute(UPSERT)
    cursor.connection.commit()
    return len(rows)


def main() -> None:
    """Measure with what the first argument says and print one JSON line."""
    print(json.dumps(measure(json.loads(sys.argv[1]))))


if __name__ == "__main__":
    main()
