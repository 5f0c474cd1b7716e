"""A sync that goes on and on while people watch it: what the polling measurement runs beside."""

import json
import sys

from bench.sync_ours import make_desk
from bench.world import worker_app
from crm_admin import config, tenancy
from crm_admin.extensions import db
from crm_admin.models.world import Membership
from crm_admin.services import sessions, sync_runs


def main() -> None:
    """Print who may watch which run and sync until stopped; the run watched is the first one."""
    asked = json.loads(sys.argv[1])
    with worker_app(config.load()).app_context():
        desk = make_desk(asked["url"])
        person = desk.person
        with tenancy.acting_for(person.organization_id):
            membership = {"organization_id": person.organization_id, "user_id": person.user_id}
            db.session.add(Membership(**membership, role="admin"))
            db.session.commit()
            tokens = [
                sessions.start(**membership, address="127.0.0.1", agent="bench")
                for _ in range(asked["people"])
            ]
            run = sync_runs.start(
                person=person,
                connection_id=desk.connection_id,
                mode="full",
                staged=False,
                wake=False,
            )
            print(json.dumps({"run": str(run.id), "tokens": tokens}), flush=True)
            desk.work(run.id)
            while True:
                desk.sync("full")


if __name__ == "__main__":
    main()
