"""What the controls and the human page need of a simulated CRM, whichever it is."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from crm_admin.simulators.faults import Faults
from crm_admin.simulators.links import End
from crm_admin.simulators.row import Row
from crm_admin.simulators.store import Portal
from crm_admin.simulators.truth import By
from crm_admin.simulators.wire import Answer, Request


class Crm(Protocol):
    """`label` is shown to people; `tabs` are the objects a person edits, each with its columns."""

    label: str
    faults: Faults
    tabs: Mapping[str, Sequence[str]]

    def handle(self, request: Request) -> Answer: ...

    def portal(self, number: int | None) -> Portal: ...

    def object_of(self, text: str) -> str | None: ...

    def wire_record(self, portal: Portal, object_name: str, row: Row) -> bytes: ...

    def save(
        self,
        portal: Portal,
        object_name: str,
        row_id: int | None,
        changes: Mapping[str, object],
        by: By,
    ) -> Row: ...

    def merge(self, portal: Portal, object_name: str, pair: tuple[int, int], by: By) -> Row: ...

    def associate(
        self, portal: Portal, near: End, far: End, *, add: bool, primary: bool
    ) -> None: ...

    def load(self, portal: Portal, data: Mapping[str, object]) -> dict[str, list[str]]: ...

    def seed(self, portal: Portal, asked: Mapping[str, object]) -> dict[str, int]: ...

    def define(self, portal: Portal, given: Mapping[str, object]) -> None: ...

    def config(self) -> dict[str, object]: ...

    def configure(self, given: Mapping[str, object]) -> None: ...

    def reset(self) -> None: ...

    def close(self) -> None: ...


class Refusal(Exception):
    """A control or a person's edit that the CRM does not accept; the text says why."""
