"""Keyset paging: a place in a list as text that fits into an address."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from uuid import UUID

import orjson

from crm_admin.errors import NotFound

PAGE = 50


@dataclass(frozen=True, slots=True)
class Place:
    """The sort value and id of the last row shown."""

    value: str
    id: UUID


def encode(value: str, row_id: UUID) -> str:
    """Return the place as text for `?after=`."""
    return urlsafe_b64encode(orjson.dumps([value, str(row_id)])).decode().rstrip("=")


def decode(after: str) -> Place | None:
    """Return the place that `?after=` names, None when it is empty; a made-up one is not found."""
    if not after:
        return None
    try:
        value, row_id = orjson.loads(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        return Place(str(value), UUID(str(row_id)))
    except (ValueError, NotBase64, TypeError) as error:
        raise NotFound(
            "This page of the list is not there. Open the list from its start."
        ) from error
