import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from crm_admin.launcher import ports

PARTS = {"postgresql", "valkey", "web", "worker", "worker-now", "scheduler"}


def members_of(sessions):
    """Every process of the sessions, each of which one part leads."""
    done = subprocess.run(
        ["ps", "-eo", "sid=,pid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return [int(pid) for sid, pid, state in rows if int(sid) in sessions and state[0] != "Z"]


@pytest.fixture
def port():
    return str(ports.any_free())


def test_it_starts_answers_and_stops_in_order(checkout, port, get):
    process = checkout.start("--no-demo", "--port", port)
    running = checkout.running
    answer = get(f"{running['url']}/readyz")
    mode = stat.S_IMODE((checkout.path / "var" / "run.json").stat().st_mode)

    process.send_signal(signal.SIGTERM)
    code = process.wait()

    assert process.said == f"CRM Admin is ready at http://127.0.0.1:{port}\n"
    assert answer == (200, "database: ok\nredis: ok\n")
    assert (mode, set(running["pids"])) == (0o600, PARTS)
    assert (code, members_of(running["pids"].values())) == (0, [])
    assert not Path(running["sockets"]).exists()
    assert not (checkout.path / "var" / "run.json").exists()


def test_a_kill_leaves_nothing_behind_and_the_next_start_works(checkout, port, get, eventually):
    process = checkout.start("--no-demo", "--port", port)
    before = checkout.running
    sessions = set(before["pids"].values())

    process.send_signal(signal.SIGKILL)
    gone = eventually(lambda: not members_of(sessions))
    checkout.start("--no-demo", "--port", port)

    assert gone
    assert get(f"{checkout.running['url']}/readyz")[0] == 200
    assert not Path(before["sockets"]).exists()


def test_a_part_that_falls_is_started_again(checkout, port, get, eventually):
    checkout.start("--no-demo", "--port", port)
    before = checkout.running["pids"]

    subprocess.run(["kill", "-9", str(before["valkey"])], check=True)
    again = eventually(lambda: checkout.running["pids"]["valkey"] != before["valkey"])

    assert again
    assert eventually(lambda: get(f"{checkout.running['url']}/readyz")[0] == 200)


def test_a_second_start_says_who_runs_the_first(checkout, port):
    first = checkout.start("--no-demo", "--port", port)

    second = checkout.popen("start", "--no-demo", "--port", str(ports.any_free()))
    said = second.communicate()[0]

    assert second.returncode == 1
    assert f"bin/start (process {first.pid}) already runs" in said


def test_a_port_in_use_is_said_in_a_sentence(checkout):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken_port = taken.getsockname()[1]

        process = checkout.popen("start", "--no-demo", "--port", str(taken_port))
        said = process.communicate()[0]

    assert process.returncode == 1
    assert said.startswith(f"Port {taken_port} is in use by another program.")


def test_two_commands_share_the_servers_they_started_themselves(checkout):
    commands = [checkout.popen("crm", "database", "upgrade") for _ in range(2)]

    results = [(command.communicate()[0], command.returncode) for command in commands]

    assert results == [("", 0), ("", 0)]
    assert not (checkout.path / "var" / "run.json").exists()


def test_a_command_uses_the_servers_of_a_running_start(checkout, port):
    checkout.start("--no-demo", "--port", port)

    command = checkout.popen("crm", "database", "upgrade")
    command.communicate()

    assert command.returncode == 0
    assert checkout.running["command"] == "bin/start"


def test_what_a_command_prints_is_all_there_is_on_stdout(checkout):
    command = checkout.popen("crm", "database", "roles")
    said = command.communicate()[0]

    assert command.returncode == 0
    assert said.startswith("-- Run with psql as a superuser")
    assert "CREATE ROLE crm_app" in said
