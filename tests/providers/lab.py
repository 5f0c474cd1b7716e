"""A provider and its simulator side by side: the client under test, and the truth behind it."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network

import requests

from crm_admin import clock
from crm_admin.outward.inprocess import LocalBreaker, LocalBudget, LocalCallLog
from crm_admin.outward.transport import Wiring
from crm_admin.outward.wire import Deadlines
from crm_admin.providers.base import (
    Action,
    Ask,
    Association,
    ConnectionConfig,
    NewField,
    Provider,
    RemoteRecord,
    Write,
)
from crm_admin.providers.registry import limits_of, open_provider
from crm_admin.simulators.server import Running

NONSENSE = ("html", "empty", "truncated", "wrong_content_type", "nan", "redirect")
NO_ANSWER = ("timeout_before", "timeout_after", "reset_before", "reset_after")
BROKEN = ("500", "502", "503", "504")
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass(frozen=True)
class Facts:
    """What the suite has to know of one provider to talk about its records.

    `name` is the object, `key` a unique field of it, `parent` an object its records refer to.
    The patterns match the paths of calls; `make` returns the properties of the n-th valid record.
    """

    provider: str
    secrets: Mapping[str, str]
    settings: Mapping[str, str]
    name: str
    key: str
    text: str
    parent: str
    listing: str
    changes: str
    batch_read: str
    creates: str
    updates: str
    archives: str
    make: Callable[[int], dict[str, str]]
    make_parent: Callable[[int], dict[str, str]]
    spoiled: Mapping[str, str]
    spoiled_field: str
    read_scope: str
    write_scope: str
    fields_scope: str
    scopes_without: Callable[[str], object]


class Time:
    """A clock that runs only while the client pauses."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@dataclass
class Lab:
    """One simulator with a client of it."""

    running: Running
    facts: Facts
    time: Time = field(default_factory=Time)
    log: LocalCallLog = field(default_factory=LocalCallLog)

    def open(self, *, marker: bool = False, url: str = "", **secrets: str) -> Provider:
        """A client; with `marker` the field is there and creates are repeatable."""
        config = ConnectionConfig(
            url or self.running.url,
            {**self.facts.secrets, **secrets},
            self.facts.settings,
            marker=marker,
        )
        wiring = Wiring(
            private_networks=LOOPBACK,
            budget=LocalBudget(dict(limits_of(self.facts.provider)), clock=self.time),
            breaker=LocalBreaker(clock=self.time),
            log=self.log,
            deadlines=Deadlines(connect=2.0, between=0.4, total=3.0),
            pause=self.time.pause,
        )
        provider = open_provider(self.facts.provider, config, wiring)
        if marker:
            spec = provider.spec
            provider.create_field(self.facts.name, NewField(spec.marker_field, "Key", unique=True))
        return provider

    def control(self, name: str, given: Mapping[str, object]) -> dict[str, object]:
        answer = requests.post(f"{self.running.url}/_sim/{name}", json=given, timeout=10)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    def fault(self, fault: str, path: str, **rule: object) -> None:
        self.control("faults", {"rules": [{"fault": fault, "path": path, **rule}]})

    def heal(self) -> None:
        self.control("faults", {"rules": []})

    def config(self, **settings: object) -> None:
        self.control("config", settings)

    def add(self, number: int, **properties: str) -> str:
        given = {**self.facts.make(number), **properties}
        return str(
            self.control("edit", {"object": self.facts.name, "id": None, "properties": given})["id"]
        )

    def add_parent(self, number: int) -> str:
        given = {
            "object": self.facts.parent,
            "id": None,
            "properties": self.facts.make_parent(number),
        }
        return str(self.control("edit", given)["id"])

    def edit(self, record_id: str, **change: object) -> None:
        self.control("edit", {"object": self.facts.name, "id": record_id, **change})

    def truth(self, object_name: str = "") -> dict[str, dict[str, object]]:
        """Every living record of an object as it is, by id."""
        answer = requests.get(
            f"{self.running.url}/_sim/records",
            params={"object": object_name or self.facts.name, "limit": "10000"},
            timeout=10,
        )
        return {record["id"]: record["properties"] for record in answer.json()["records"]}

    def happened(self, op: str, object_name: str = "") -> list[dict[str, object]]:
        """What the client did, as the simulator saw it."""
        answer = requests.get(f"{self.running.url}/_sim/log", params={"limit": "10000"}, timeout=10)
        name = object_name or self.facts.name
        return [
            entry
            for entry in answer.json()["entries"]
            if entry["by"] == "api" and entry["op"] == op and entry["object"] == name
        ]

    def read_all(
        self, provider: Provider, properties: Sequence[str] = (), **more: object
    ) -> list[RemoteRecord]:
        """All pages of a pass."""
        names = (self.facts.key, self.facts.text, *properties)
        ask = Ask(self.facts.name, names, **more)  # type: ignore[arg-type]
        records: list[RemoteRecord] = []
        cursor = None
        while True:
            page = provider.changes(ask, cursor)
            records += page.records
            cursor = page.cursor
            if cursor is None:
                return records

    def read_changes(self, provider: Provider, **more: object) -> list[RemoteRecord]:
        """What changed in the last hour."""
        now = clock.now()
        window = {"since": now - timedelta(hours=1), "until": now + timedelta(minutes=1)}
        return self.read_all(provider, **window, **more)

    def creates(self, *numbers: int, marker: bool = False) -> list[Write]:
        name = self.open().spec.marker_field
        return [
            Write(
                trace=f"trace-{number}",
                action=Action.CREATE,
                marker=f"key-{number}" if marker else None,
                properties=self.facts.make(number) | ({name: f"key-{number}"} if marker else {}),
            )
            for number in numbers
        ]

    def update(self, record_id: str, trace: str = "", **properties: object) -> Write:
        return Write(trace or f"trace-{record_id}", Action.UPDATE, record_id, properties=properties)  # type: ignore[arg-type]

    def archive(self, record_id: str) -> Write:
        return Write(f"trace-{record_id}", Action.ARCHIVE, record_id)

    def related(self, write: Write, *add: str, remove: tuple[str, ...] = ()) -> Write:
        """The same write with references to parents."""
        change = Association(self.facts.parent, add, remove)
        return Write(write.trace, write.action, write.id, write.marker, write.properties, (change,))


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"
