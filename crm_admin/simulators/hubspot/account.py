"""One HubSpot account: its records, and its owners, pipelines and usage, which are not records."""

from dataclasses import dataclass, field, replace
from typing import Final

from crm_admin.simulators.clock import Clock, iso
from crm_admin.simulators.definitions import Choice
from crm_admin.simulators.hubspot.limits import DAY_MS, Usage
from crm_admin.simulators.hubspot.schema import make_tables
from crm_admin.simulators.hubspot.settings import Settings
from crm_admin.simulators.hubspot.values import Rules
from crm_admin.simulators.journal import Effect, forget
from crm_admin.simulators.store import Portal

FOUNDED_MS: Final = 1_735_689_600_000


@dataclass(frozen=True, slots=True)
class Owner:
    id: str
    email: str
    first_name: str
    last_name: str
    user_id: int
    archived: bool = False

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "email": self.email,
            "type": "PERSON",
            "firstName": self.first_name,
            "lastName": self.last_name,
            "userId": self.user_id,
            "userIdIncludingInactive": self.user_id,
            "createdAt": iso(FOUNDED_MS),
            "updatedAt": iso(FOUNDED_MS),
            "archived": self.archived,
            "teams": [],
        }


@dataclass(frozen=True, slots=True)
class Stage:
    id: str
    label: str
    probability: str
    closed: bool = False

    def as_json(self, order: int) -> dict[str, object]:
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": order,
            "metadata": {
                "isClosed": "true" if self.closed else "false",
                "probability": self.probability,
            },
            "createdAt": iso(FOUNDED_MS),
            "updatedAt": iso(FOUNDED_MS),
            "archived": False,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }


@dataclass(frozen=True, slots=True)
class Pipeline:
    id: str
    label: str
    stages: tuple[Stage, ...]

    def as_json(self, order: int) -> dict[str, object]:
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": order,
            "stages": [stage.as_json(position) for position, stage in enumerate(self.stages)],
            "createdAt": iso(FOUNDED_MS),
            "updatedAt": iso(FOUNDED_MS),
            "archived": False,
        }


OWNERS: Final = (
    Owner("41", "mia.brandt@demo.test", "Mia", "Brandt", 7001),
    Owner("42", "tom.okafor@demo.test", "Tom", "Okafor", 7002),
    Owner("43", "ines.duarte@demo.test", "Inês", "Duarte", 7003),
    Owner("44", "former.colleague@demo.test", "Former", "Colleague", 7004, archived=True),
    Owner("45", "admin@demo.test", "Ana", "Silva", 7005),
    Owner("46", "operator@demo.test", "Yusuf", "Demir", 7006),
    Owner("47", "owner@demo.test", "Priya", "Raman", 7007),
)
PIPELINES: Final = (
    Pipeline(
        "default",
        "Sales Pipeline",
        (
            Stage("appointmentscheduled", "Appointment Scheduled", "0.2"),
            Stage("qualifiedtobuy", "Qualified To Buy", "0.4"),
            Stage("presentationscheduled", "Presentation Scheduled", "0.6"),
            Stage("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
            Stage("contractsent", "Contract Sent", "0.9"),
            Stage("closedwon", "Closed Won", "1.0", closed=True),
            Stage("closedlost", "Closed Lost", "0.0", closed=True),
        ),
    ),
    Pipeline(
        "pov",
        "POV Pipeline",
        (
            Stage("planned", "Planned", "0.2"),
            Stage("running", "Running", "0.5"),
            Stage("evaluation", "Evaluation", "0.7"),
            Stage("won", "Won", "1.0", closed=True),
            Stage("lost", "Lost", "0.0", closed=True),
        ),
    ),
)


@dataclass(slots=True)
class Account:
    portal: Portal
    settings: Settings
    owners: tuple[Owner, ...] = OWNERS
    pipelines: tuple[Pipeline, ...] = PIPELINES
    usage: Usage = field(default_factory=Usage)

    def rules(self) -> Rules:
        stages = {each.id: frozenset(stage.id for stage in each.stages) for each in self.pipelines}
        return Rules(frozenset(owner.id for owner in self.owners), stages)

    def details(self) -> dict[str, object]:
        return {
            "portalId": self.portal.number,
            "accountType": "DEVELOPER_TEST",
            "timeZone": "Etc/UTC",
            "companyCurrency": "EUR",
            "additionalCurrencies": ["GBP", "USD"],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }

    def usage_today(self) -> dict[str, object]:
        now = self.portal.clock.now_ms()
        limit = self.settings.limits.daily
        usage = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": 625_000 if limit is None else limit,
            "currentUsage": self.usage.today,
            "collectedAt": iso(now),
            "fetchStatus": "SUCCESS",
            "resetsAt": iso((now // DAY_MS + 1) * DAY_MS),
        }
        return {"results": [usage]}


def make_account(number: int, settings: Settings, clock: Clock, effect: Effect = forget) -> Account:
    """A new account: no records, the standard properties, owners and pipelines."""
    portal = Portal(number, make_tables(), clock, effect)
    portal.index_lag = settings.index_lag
    portal.link_stamps = settings.association_stamps
    _offer_pipelines(portal)
    return Account(portal, settings)


def _offer_pipelines(portal: Portal) -> None:
    """Pipeline and stage are enumerations whose options are the account's pipelines and stages."""
    known = portal.table("deals").definitions
    pipelines = tuple(Choice(each.id, each.label) for each in PIPELINES)
    stages = tuple(
        Choice(stage.id, f"{stage.label} ({each.label})")
        for each in PIPELINES
        for stage in each.stages
    )
    known["pipeline"] = replace(known["pipeline"], choices=pipelines)
    known["dealstage"] = replace(known["dealstage"], choices=stages)
