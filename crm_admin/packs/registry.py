"""The packs of this installation, one line each, and what they declare together."""

from functools import lru_cache
from typing import Final

from crm_admin.packs.base import DefaultMapping, Pack
from crm_admin.packs.crm import CRM
from crm_admin.packs.pov import POV
from crm_admin.records.kinds import Field, KindRegistry

PACKS: Final[tuple[Pack, ...]] = (
    CRM,
    POV,
)


@lru_cache(maxsize=1)
def kinds() -> KindRegistry:
    """Return the kinds of all packs with the fields that packs add to each other's kinds."""
    extensions: dict[str, tuple[Field, ...]] = {}
    for pack in PACKS:
        for kind, fields in pack.extensions.items():
            extensions[kind] = extensions.get(kind, ()) + fields
    return KindRegistry((kind for pack in PACKS for kind in pack.kinds), extensions)


@lru_cache(maxsize=64)
def default_mappings(provider: str) -> tuple[DefaultMapping, ...]:
    """Return the first mappings for a provider in the order of their streams; none for an unknown
    provider.
    """
    found = (mapping for pack in PACKS for mapping in pack.mappings if mapping.provider == provider)
    return tuple(sorted(found, key=lambda mapping: (mapping.position, mapping.kind)))


def default_mapping(provider: str, remote_object: str, kind: str) -> DefaultMapping | None:
    """Return the first mapping of one stream; None when no pack declares it."""
    for mapping in default_mappings(provider):
        if (mapping.remote_object, mapping.kind) == (remote_object, kind):
            return mapping
    return None
