"""Which value of a conflict we would take, and why; a person decides."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.records.values import is_blank
from crm_admin.sync.merge import MARGIN

DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Clash:
    """Both values of a field in our spelling, who changed them and when.

    `theirs_at` is the stamp of their whole record, so their field changed then or before.
    """

    ours: Json
    theirs: Json
    combined: Json
    ours_at: datetime | None
    ours_by: str
    theirs_at: datetime | None
    connection: str
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Advice:
    """A choice (ours, theirs, combine) and the sentence that says why."""

    choice: str
    why: str


def newest(ours_at: datetime | None, theirs_at: datetime | None) -> str:
    """Return which side is known to be newer: ours, theirs, or "" when that cannot be told."""
    if ours_at is None or theirs_at is None or abs(ours_at - theirs_at) <= MARGIN:
        return ""
    return "ours" if ours_at > theirs_at else "theirs"


def advise(clash: Clash) -> Advice | None:
    """Return the choice that loses least, else the newest, else the primary's; None when nothing
    speaks for either side.
    """
    name = clash.connection
    if not is_blank(clash.combined):
        return Advice("combine", "Both sides added something. Combined, nothing is lost.")
    if is_blank(clash.theirs) != is_blank(clash.ours):
        emptied, choice = (name, "ours") if is_blank(clash.theirs) else ("CRM Admin", "theirs")
        return Advice(choice, f"{emptied} emptied the field; the other side has a value.")
    side = newest(clash.ours_at, clash.theirs_at)
    if side and clash.ours_at and clash.theirs_at:
        apart = _length(abs(clash.ours_at - clash.theirs_at))
        who = clash.ours_by or "Somebody"
        if side == "ours":
            why = f"{who} changed it here {apart} after the record was last changed in {name}."
        else:
            why = f"The record was changed in {name} {apart} after {who} changed it here."
        return Advice(side, why)
    if clash.is_primary:
        return Advice("theirs", f"{name} is the main CRM for these records.")
    return None


def _length(apart: timedelta) -> str:
    seconds = int(apart.total_seconds())
    for unit, size in (("day", DAY), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size:
            amount = seconds // size
            return f"{amount} {unit}{'' if amount == 1 else 's'}"
    return "moments"
