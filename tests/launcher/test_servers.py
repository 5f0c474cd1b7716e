import psycopg
import pytest
import redis

from crm_admin.launcher import databases


def test_postgresql_lets_nobody_in_without_the_password(cluster):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host=str(cluster.sockets), user="postgres", password="guess", dbname="postgres"
        )


def test_postgresql_listens_on_its_socket_only(cluster):
    with cluster.connect() as connection:
        (addresses,) = connection.execute("SHOW listen_addresses").fetchone()

    assert addresses == ""


def test_valkey_lets_nobody_in_without_the_password(valkey):
    with (
        redis.Redis(unix_socket_path=str(valkey.sockets / "valkey")) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_valkey_refuses_writes_rather_than_forgetting(valkey):
    with redis.Redis.from_url(valkey.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_login_is_a_plain_one_that_may_act_as_the_three_roles(cluster, database_url):
    with cluster.connect("crm_test") as connection:
        strong = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'crm%'"
            " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)"
        ).fetchall()
        may = connection.execute(
            "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
            " WHERE m.member = 'crm_login'::regrole ORDER BY 1"
        ).fetchall()

    assert strong == []
    assert [name for (name,) in may] == ["crm_app", "crm_owner", "crm_system"]


def test_preparing_a_database_again_changes_nothing(cluster, database_url):
    first = databases.prepare(cluster, password="login-of-the-tests", database="crm_test")
    second = databases.prepare(cluster, password="login-of-the-tests", database="crm_test")

    assert first == second == database_url
