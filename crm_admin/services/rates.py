"""How often one person may ask for what is costly, counted over all processes: nobody starves the
others."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID

from flask import current_app

from crm_admin import dispatch
from crm_admin.errors import RetryLater
from crm_admin.outward.protocols import Rank
from crm_admin.services.access import Person
from crm_admin.services.budget import SharedBudget


class Costly(StrEnum):
    """What is allowed a number of times in a while."""

    EXPORT = "export"
    CHECK = "check"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many times in so many seconds; `sentence` says to a person what to do then."""

    times: int
    seconds: float
    sentence: str


ALLOWANCES: Final = {
    Costly.EXPORT: Allowance(20, 60.0, "That were many exports in a minute."),
    Costly.CHECK: Allowance(10, 60.0, "That were many checks of connections in a minute."),
    Costly.COUNT: Allowance(60, 60.0, "That were many counts at the CRM in a minute."),
}


def spend(person: Person, what: Costly) -> None:
    """Count one use by this person; RetryLater says after how many seconds there is another.

    While Redis is away each process counts for itself.
    """
    url = current_app.config["CRM"].redis_url
    wait = _budget(url, person.organization_id, person.user_id).take(1, Rank.PEOPLE, what)
    if wait:
        sentence = ALLOWANCES[what].sentence
        raise RetryLater(wait, f"{sentence} The next one works in {max(1, round(wait))} s.")


@lru_cache(maxsize=1024)
def _budget(url: str, organization_id: UUID, user_id: UUID | None) -> SharedBudget:
    limits = {str(what): (one.times, one.seconds) for what, one in ALLOWANCES.items()}
    return SharedBudget(dispatch.client(url), f"crm:rate:{organization_id}:{user_id}", limits)
