"""One record of a simulated CRM as it was at one time."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Row:
    """One state of one record, never changed afterwards; `text` keeps its last rendering of shape
    `shape`.
    """

    id: int
    props: Mapping[str, str]
    created: int
    updated: int
    archived: int | None = None
    shape: tuple[str, ...] | None = None
    text: bytes = b""
