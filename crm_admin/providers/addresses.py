"""Reads the address of a record's page at a CRM: what a person copies from their browser."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, urlsplit

from crm_admin.providers.base import ProviderSpec

LONGEST = 2_000
TYPED = "/record/{object_type}/{id}"
PART = {"account": r"(?P<account>[\w-]+)", "object_type": r"(?P<type>[\w-]+)"}
SIMULATED = "/_sim/record"


@dataclass(frozen=True, slots=True)
class RecordAddress:
    """A record at a CRM. `account` is "" where the address does not name it."""

    provider: str
    account: str
    object: str
    id: str


def record_address(text: str, specs: Iterable[ProviderSpec]) -> RecordAddress | None:
    """Return the record that an address of a CRM's page names; None for every other text.

    Known are the form of the spec's `record_url`, the older one that names the object by its word,
    both on regional hosts and with anything behind the id.
    """
    if len(text) > LONGEST or not text.startswith(("https://", "http://")):
        return None
    try:
        parts = urlsplit(text.strip())
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    for spec in specs:
        form = _form(spec.record_url)
        if form is None or not re.fullmatch(form[0], host):
            continue
        for pattern in form[1]:
            found = re.match(pattern, parts.path)
            if found and (name := _object(spec, found.groupdict())):
                return RecordAddress(spec.name, found["account"], name, found["id"])
    return None


def simulated_address(text: str, endpoint: str) -> tuple[str, str] | None:
    """Return object and id that a page of the simulator at `endpoint` shows, else None."""
    base = f"{endpoint.rstrip('/')}{SIMULATED}?"
    if not endpoint or len(text) > LONGEST or not text.startswith(base):
        return None
    asked = parse_qs(text.removeprefix(base))
    name, record_id = asked.get("object", [""])[0], asked.get("id", [""])[0]
    return (name, record_id) if name and record_id else None


@cache
def _form(template: str) -> tuple[str, tuple[str, ...]] | None:
    """The hosts and paths of a template, as patterns; None when it names no record."""
    host, _, path = template.partition("://")[2].partition("/")
    if not path.endswith(TYPED.removeprefix("/")):
        return None
    label, _, rest = host.partition(".")
    hosts = rf"{re.escape(label)}(?:-[a-z0-9]+)?\.{re.escape(rest)}"
    before = f"/{path}".removesuffix(TYPED)
    start = re.escape(before).replace(re.escape("{account}"), PART["account"])
    end = r"(?P<id>[\w-]+)(?:/.*)?$"
    return hosts, (
        rf"{start}/record/{PART['object_type']}/{end}",
        rf"{start}/(?P<word>[a-z]+)/{end}",
    )


def _object(spec: ProviderSpec, found: dict[str, str]) -> str:
    kind, word = found.get("type", ""), found.get("word", "")
    for one in spec.objects:
        if kind and kind in {one.type_id, one.name}:
            return one.name
        if word and word in {one.label.lower(), one.plural.lower(), one.name}:
            return one.name
    return ""
