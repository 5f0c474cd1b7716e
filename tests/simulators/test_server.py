"""Serving: mounts, processes of their own, connections that stay, and records that outlive a
restart.
"""

import http.client
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from crm_admin.simulators.server import Running, start_in_thread
from tests.simulators.client import Client


def test_all_crms_are_mounted_under_their_names() -> None:
    with start_in_thread(None) as running, Client(f"{running.url}/hubspot") as hubspot:
        hubspot.create("contacts", firstname="Ann")
        page = hubspot.get("/_sim/")
        index = requests.get(running.url, timeout=5)
        unknown = requests.get(f"{running.url}/nowhere/x", timeout=5)

    assert "/hubspot/_sim/style.css" in page.text
    assert index.json() == {"simulators": ["/hubspot"]}
    assert unknown.status_code == 404


def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "crm_admin.simulators", "--port", "0", "--print-port"]
    process = subprocess.Popen(
        [*command, "--provider", "hubspot", "--real-limits"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with Client(f"http://127.0.0.1:{port}") as hubspot:
            answer = hubspot.get("/account-info/v3/details")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)

    assert answer.headers["X-HubSpot-RateLimit-Max"] == "190"
    assert process.returncode == 0


def test_records_links_and_the_log_outlive_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "kept" / "hubspot.jsonl"
    with start_in_thread(data=data) as running, Client(running.url) as hubspot:
        contact = hubspot.create("contacts", firstname="Ann", email="ann@example.com")
        other = hubspot.create("contacts", firstname="Bo")
        company = hubspot.create("companies", name="Bell")
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
        hubspot.call(
            "PUT", f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}", types
        )
        given = {
            "name": "shoe",
            "label": "Shoe",
            "type": "string",
            "fieldType": "text",
            "groupName": "g",
        }
        hubspot.post("/crm/v3/properties/contacts", given)
        merge = {"primaryObjectId": contact, "objectIdToMerge": other}
        hubspot.post("/crm/v3/objects/contacts/merge", merge)
        hubspot.call("DELETE", f"/crm/v3/objects/companies/{company}")
        before = state(hubspot)
    with data.open("ab") as journal:
        journal.write(b'[1,"put",["contacts')

    with start_in_thread(data=data) as running, Client(running.url) as hubspot:
        after = state(hubspot)
        by_old_id = hubspot.get(f"/crm/v3/objects/contacts/{contact}").json()
        taken = hubspot.post(
            "/crm/v3/objects/contacts", {"properties": {"email": "ann@example.com"}}
        )
        described = hubspot.get("/crm/v3/properties/contacts/shoe")
        newest = hubspot.create("contacts", firstname="New")

    assert after == before
    assert by_old_id["id"] == after["contacts"][0]["id"]
    assert taken.status_code == 409
    assert described.status_code == 200
    with start_in_thread(data=data) as running, Client(running.url) as hubspot:
        assert [each["id"] for each in state(hubspot)["contacts"]] == [by_old_id["id"], newest]


def state(hubspot: Client) -> dict[str, object]:
    return {
        "contacts": hubspot.get("/_sim/records?object=contacts").json()["records"],
        "archived": hubspot.get("/_sim/records?object=companies&archived=true").json()["records"],
        "log": hubspot.log(),
        "links": hubspot.get("/_sim/links?object=companies&id=101").json(),
    }


def test_a_reset_empties_the_kept_file(tmp_path: Path) -> None:
    data = tmp_path / "hubspot.jsonl"
    with start_in_thread(data=data) as running, Client(running.url) as hubspot:
        hubspot.create("contacts", firstname="Ann")
        hubspot.post("/_sim/reset")

    assert data.read_bytes() == b""


def test_a_granted_connection_outlives_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "hubspot.jsonl"
    back = "http://127.0.0.1:9/back"
    with start_in_thread(data=data) as running, Client(running.url) as hubspot:
        query = f"client_id=a&redirect_uri={back}&scope=crm.objects.contacts.read"
        agreed = hubspot.post(f"/oauth/authorize?{query}", data={"decision": "allow"})
        code = agreed.headers["Location"].partition("code=")[2]
        form = {
            "client_id": "a",
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
        }
        refresh = hubspot.post("/oauth/v1/token", data=form).json()["refresh_token"]

    with start_in_thread(data=data) as running, Client(running.url) as hubspot:
        form = {"client_id": "a", "grant_type": "refresh_token", "refresh_token": refresh}
        answer = hubspot.post("/oauth/v1/token", data=form)

    assert answer.status_code == 200
    assert answer.json()["scopes"] == ["crm.objects.contacts.read"]


def test_one_connection_carries_many_calls(running: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    connection.connect()
    sock = connection.sock

    statuses = []
    for _ in range(5):
        connection.request("GET", "/_sim/records")
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    same = connection.sock is sock
    connection.close()

    assert statuses == [200] * 5
    assert same


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["no request", "long header", "length", "chunked"],
)
def test_bytes_that_are_no_request_are_refused(running: Running, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=5) as raw_socket:
        raw_socket.sendall(raw)
        raw_socket.shutdown(socket.SHUT_WR)
        answer = raw_socket.recv(1000)

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_closing_ends_calls_that_are_kept_waiting() -> None:
    with start_in_thread() as running, Client(running.url) as hubspot:
        hubspot.fault("timeout_before")
        with pytest.raises(requests.Timeout):
            hubspot.get("/crm/v3/objects/contacts", timeout=0.1)
        port = running.port

    with pytest.raises(OSError, match=r"."):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
