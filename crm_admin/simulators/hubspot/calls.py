"""One call at the simulated HubSpot: who calls which account, and what every endpoint needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from crm_admin.simulators.hubspot.account import Account
from crm_admin.simulators.hubspot.errors import ApiError, bad_request, conflict, value_taken
from crm_admin.simulators.hubspot.schema import SINGULAR, object_of
from crm_admin.simulators.hubspot.settings import Token
from crm_admin.simulators.hubspot.values import Rules
from crm_admin.simulators.row import Row
from crm_admin.simulators.rows import Table, Taken
from crm_admin.simulators.store import Portal
from crm_admin.simulators.wire import Request, as_int, as_list, as_map, as_text

MAX_BATCH: Final = 100
VALIDATING_SINCE: Final = "2026-09"


@dataclass(slots=True)
class Call:
    """`version` is v3, v4 or a date; `rest` are the parts of the path that matched."""

    request: Request
    account: Account
    token: Token
    version: str
    rest: Mapping[str, str]
    shuffler: Random
    _rules: Rules | None = None

    @property
    def portal(self) -> Portal:
        return self.account.portal

    @property
    def rules(self) -> Rules:
        if self._rules is None:
            self._rules = self.account.rules()
        return self._rules

    def object_name(self, part: str = "object") -> str:
        return known_object(self.rest[part])

    @property
    def table(self) -> Table:
        return self.portal.table(self.object_name())

    def required(self, object_name: str) -> tuple[str, ...]:
        """What the account's validation rules demand, which undated versions do not enforce."""
        enforced = self.version[:1].isdigit() and self.version >= VALIDATING_SINCE
        return self.account.settings.required.get(object_name, ()) if enforced else ()

    def inputs(self, most: int = MAX_BATCH) -> list[dict[str, object]]:
        found = [as_map(each) for each in as_list(self.request.json().get("inputs"))]
        if not found:
            raise bad_request("Invalid input JSON: inputs must not be empty")
        if len(found) > most:
            raise bad_request(
                f"The maximum number of inputs supported in a batch request is {most}"
            )
        return found


def known_object(text: str) -> str:
    """The object a path or body names, or a refusal."""
    name = object_of(text)
    if name is None:
        raise bad_request(f"Unable to infer object type from: {text}")
    return name


def find_row(table: Table, text: str, id_property: str) -> Row | None:
    """The living or archived record of this id, or of this value of a unique property."""
    if id_property and id_property != "hs_object_id":
        known = table.definitions.get(id_property)
        if known is None or not known.unique:
            raise bad_request(f"{id_property} is not a unique property of {table.name}")
        return table.find_by(id_property, text)
    return table.find(as_int(text, -1)) if text.isdigit() else None


def taken_error(taken: Taken, object_name: str) -> ApiError:
    """How HubSpot refuses a value that another record holds."""
    if taken.name == "email":
        return conflict(taken.holder, SINGULAR[object_name])
    return value_taken(taken.name, taken.holder)


def trace_of(given: Mapping[str, object]) -> str:
    """The name a row of a batch gave itself, or nothing."""
    return as_text(given.get("objectWriteTraceId"))
