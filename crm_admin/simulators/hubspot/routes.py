"""Which path means which endpoint: the undated and the dated family of addresses lead to the same
table.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crm_admin.simulators.hubspot import associations, batch, objects, people, properties, search
from crm_admin.simulators.hubspot.calls import Call
from crm_admin.simulators.hubspot.schema import object_of
from crm_admin.simulators.wire import Answer

Endpoint = Callable[[Call], Answer]
VERSIONED: Final = (
    re.compile(
        r"/crm/(?P<version>v[34])/(?P<area>objects|properties|pipelines|owners|associations)(?P<path>/.*)?"
    ),
    re.compile(
        r"/crm/(?P<area>objects|properties|pipelines|owners|associations)/(?P<version>\d{4}-\d\d)(?P<path>/.*)?"
    ),
    re.compile(r"/(?P<area>account-info)/(?P<version>v3|\d{4}-\d\d)(?P<path>/.*)?"),
)


@dataclass(frozen=True, slots=True)
class Route:
    """`scopes` names what a token needs one of; `{object}` stands for the object of the path."""

    method: str
    pattern: re.Pattern[str]
    endpoint: Endpoint
    scopes: tuple[str, ...]
    is_search: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    route: Route
    version: str
    rest: Mapping[str, str]

    def scopes(self) -> tuple[str, ...]:
        name = object_of(self.rest.get("object", self.rest.get("from", ""))) or "contacts"
        scoped = name if name in ("contacts", "companies", "deals") else "contacts"
        return tuple(scope.replace("{object}", scoped) for scope in self.route.scopes)


READ: Final = ("crm.objects.{object}.read",)
WRITE: Final = ("crm.objects.{object}.write",)
DESCRIBE: Final = ("crm.schemas.{object}.read", "crm.objects.{object}.read")
DEFINE: Final = ("crm.schemas.{object}.write",)
OWNERS: Final = ("crm.objects.owners.read",)
OBJECT: Final = "objects/{object}"
LINK: Final = "objects/{from}/{id}/associations"
LINKS: Final = "associations/{from}/{to}"
TABLE: Final[tuple[tuple[str, str, Endpoint, tuple[str, ...]], ...]] = (
    ("GET", OBJECT, objects.list_page, READ),
    ("POST", OBJECT, objects.create, WRITE),
    ("POST", f"{OBJECT}/search", search.search, READ),
    ("POST", f"{OBJECT}/merge", objects.merge, WRITE),
    ("POST", f"{OBJECT}/gdpr-delete", objects.erase, WRITE),
    ("POST", f"{OBJECT}/batch/read", batch.read, READ),
    ("POST", f"{OBJECT}/batch/create", batch.create, WRITE),
    ("POST", f"{OBJECT}/batch/update", batch.update, WRITE),
    ("POST", f"{OBJECT}/batch/upsert", batch.upsert, WRITE),
    ("POST", f"{OBJECT}/batch/archive", batch.archive, WRITE),
    ("GET", f"{OBJECT}/{{id}}", objects.read, READ),
    ("PATCH", f"{OBJECT}/{{id}}", objects.update, WRITE),
    ("DELETE", f"{OBJECT}/{{id}}", objects.archive, WRITE),
    ("GET", f"{LINK}/{{to}}", associations.list_of, READ),
    ("PUT", f"{LINK}/default/{{to}}/{{to_id}}", associations.set_default, WRITE),
    ("PUT", f"{LINK}/{{to}}/{{to_id}}", associations.set_labelled, WRITE),
    ("DELETE", f"{LINK}/{{to}}/{{to_id}}", associations.remove, WRITE),
    ("GET", f"{LINKS}/labels", associations.labels, READ),
    ("POST", f"{LINKS}/batch/read", associations.batch_read, READ),
    ("POST", f"{LINKS}/batch/create", associations.batch_create, WRITE),
    ("POST", f"{LINKS}/batch/associate/default", associations.batch_default, WRITE),
    ("POST", f"{LINKS}/batch/archive", associations.batch_archive, WRITE),
    ("POST", f"{LINKS}/batch/labels/archive", associations.batch_labels_archive, WRITE),
    ("GET", "properties/{object}", properties.list_all, DESCRIBE),
    ("POST", "properties/{object}", properties.create, DEFINE),
    ("GET", "properties/{object}/{name}", properties.read, DESCRIBE),
    ("PATCH", "properties/{object}/{name}", properties.change, DEFINE),
    ("DELETE", "properties/{object}/{name}", properties.archive, DEFINE),
    ("GET", "owners", people.list_owners, OWNERS),
    ("GET", "owners/{id}", people.read_owner, OWNERS),
    ("GET", "pipelines/{object}", people.list_pipelines, DESCRIBE),
    ("GET", "pipelines/{object}/{id}", people.read_pipeline, DESCRIBE),
    ("GET", "account-info/details", people.details, ()),
    ("GET", "account-info/api-usage/daily/private-apps", people.usage, ()),
)


def _compile(method: str, template: str, endpoint: Endpoint, scopes: tuple[str, ...]) -> Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return Route(method, re.compile(pattern), endpoint, scopes, endpoint is search.search)


ROUTES: Final = tuple(_compile(*line) for line in TABLE)


def find_route(method: str, path: str) -> Found | None:
    """The endpoint of this address, whichever family of versions it belongs to."""
    for family in VERSIONED:
        match = family.fullmatch(path)
        if match is not None:
            plain = (match["area"] + (match["path"] or "")).rstrip("/")
            return _match(method, plain, match["version"])
    return None


def _match(method: str, plain: str, version: str) -> Found | None:
    for route in ROUTES:
        if route.method == method:
            match = route.pattern.fullmatch(plain)
            if match is not None:
                return Found(route, version, match.groupdict())
    return None
