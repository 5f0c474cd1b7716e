"""dlt in the sync measurement: its REST source, merged by id into PostgreSQL."""

import json
import os
import sys
import tempfile
from typing import Any

from bench.meter import figures, metered
from crm_admin.errors import present


def source(asked: dict[str, Any]) -> Any:
    """Return the list endpoint our own client reads, with the same properties."""
    from dlt.sources.rest_api import rest_api_source

    return rest_api_source(
        {
            "client": {
                "base_url": asked["url"],
                "headers": {"Authorization": f"Bearer {asked['token']}"},
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "paging.next.after",
                    "cursor_param": "after",
                },
            },
            "resources": [
                {
                    "name": "contacts",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": asked["path"].lstrip("/"),
                        "params": {"limit": 100, "properties": asked["properties"]},
                        "data_selector": "results",
                    },
                }
            ],
        }
    )


def credentials_of(database: dict[str, str]) -> dict[str, Any]:
    """Return a database in dlt's words, which know sockets only as a parameter of the address."""
    return {
        "drivername": "postgresql",
        "host": "localhost",
        "query": {"host": database["host"]},
        "port": 5432,
        "username": database["user"],
        "password": database["password"],
        "database": database["dbname"],
    }


def measure(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one pipeline run into an empty schema."""
    import dlt

    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.postgres(credentials_of(asked["database"])),
        dataset_name="dlt_contacts",
    )
    with metered() as meter:
        pipeline.run(source(asked))
    with (
        pipeline.sql_client() as client,
        client.execute_query("SELECT count(*) FROM contacts") as cursor,
    ):
        stored = int(present(cursor.fetchone())[0])
    return figures(meter, stored)


def main() -> None:
    """Measure with what the first argument says and print one JSON line."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    asked = json.loads(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLT_DATA_DIR"] = folder
        line = measure(asked)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
