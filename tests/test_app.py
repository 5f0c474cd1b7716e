from dataclasses import replace

import pytest
from sqlalchemy import text

from crm_admin import tenancy
from crm_admin.app import create_app
from crm_admin.database import Role, engine_for
from crm_admin.errors import ConfigError
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.launcher.servers import SUPERUSER

WHOSE = text("SELECT current_setting('app.organization_id', true)")


def test_the_process_says_that_it_is_alive(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_it_is_ready_when_database_and_redis_answer(client):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (200, "database: ok\nredis: ok\n")


def test_every_engine_acts_as_its_role(in_app):
    roles = {}
    for role in Role:
        with engine_for(role).connect() as connection:
            roles[role] = connection.scalar(text("SELECT current_user"))

    assert roles == {"app": "crm_app", "system": "crm_system", "owner": "crm_owner"}


def test_each_transaction_knows_its_organisation(in_app):
    organization = new_id()

    with tenancy.acting_for(organization):
        first = db.session.scalar(WHOSE)
        db.session.commit()
        second = db.session.scalar(WHOSE)

    assert {first, second} == {str(organization)}


def test_an_open_transaction_follows_the_organisation(in_app):
    one, other = new_id(), new_id()
    db.session.execute(text("SELECT 1"))

    with tenancy.acting_for(one):
        outer = db.session.scalar(WHOSE)
        with tenancy.acting_for(other):
            inner = db.session.scalar(WHOSE)
        again = db.session.scalar(WHOSE)
    after = db.session.scalar(WHOSE)

    assert (outer, inner, again, after) == (str(one), str(other), str(one), "")


def test_a_login_that_sees_through_row_level_security_is_refused(cluster, settings, template):
    url = cluster.url(SUPERUSER, cluster.password, "crm_test")

    with pytest.raises(ConfigError, match="superuser"):
        create_app(replace(settings, database_url=url))
