"""The columns of a record list: which there are, which are shown, and each as text for a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crm_admin.blueprints.formats import plain
from crm_admin.blueprints.records.typed import typed
from crm_admin.blueprints.wording import _
from crm_admin.blueprints.words import status_word
from crm_admin.records.kinds import Field, RecordKind
from crm_admin.services.queries.records import RecordLine

OF_POVS = ("status", "amount", "due", "crms", "synced", "waiting")
OF_OTHERS = ("status", "owner", "amount", "due", "crms", "updated", "waiting")


@dataclass(frozen=True, slots=True)
class Column:
    """`sort` is the order that its heading gives, "" for none."""

    key: str
    label: str
    sort: str = ""
    numeric: bool = False
    field: Field | None = None


def available(kind: RecordKind) -> tuple[Column, ...]:
    """Return the columns a kind has, in their order on the page."""
    plain_ones = kind.promoted
    found = [
        Column("status", _label(kind, plain_ones.status), field=_field(kind, plain_ones.status)),
        Column("owner", _("Owner")),
        Column("amount", _label(kind, plain_ones.amount), "amount", numeric=True),
        Column("due", _label(kind, plain_ones.due_on), "due", numeric=True),
        Column("crms", _("CRMs")),
        Column("synced", _("Last sync"), numeric=True),
        Column("updated", _("Changed"), "updated", numeric=True),
        Column("waiting", _("Waiting on")),
    ]
    missing = {
        "status": not plain_ones.status,
        "owner": not plain_ones.owner,
        "amount": not plain_ones.amount,
        "due": not plain_ones.due_on,
    }
    return tuple(column for column in found if not missing.get(column.key))


def shown(kind: RecordKind, asked: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns to show: the asked ones, else the kind's usual ones."""
    usual = OF_POVS if kind.name == "pov" else OF_OTHERS
    wanted = {key for key in asked if key} or set(usual)
    return tuple(column for column in available(kind) if column.key in wanted)


def _field(kind: RecordKind, name: str) -> Field | None:
    return kind.field(name) if name else None


def _label(kind: RecordKind, name: str) -> str:
    return kind.field(name).label if name else ""


def header(
    kind: RecordKind, columns: Sequence[Column], connections: Sequence[tuple[object, str]]
) -> list[str]:
    """Return the first line of the file."""
    labels = [kind.label, _("About"), _("Id")]
    for column in columns:
        labels += [name for _id, name in connections] if column.key == "crms" else [column.label]
    return labels


def cells(line: RecordLine, columns: Sequence[Column]) -> list[str]:
    """Return a line of the list as the file has it: times in UTC, amounts ungrouped."""
    found = [line.title, line.about, str(line.id)]
    for column in columns:
        if column.key == "crms":
            found += [status_word(place.status).word for place in line.places]
        else:
            found.append(_cell(line, column))
    return found


def _cell(line: RecordLine, column: Column) -> str:
    values = {
        "status": lambda: plain(line.status, column.field),
        "owner": lambda: line.owner,
        "amount": lambda: typed(line.money),
        "due": lambda: line.due_on.isoformat() if line.due_on else "",
        "synced": lambda: _utc(line.synced_at),
        "updated": lambda: _utc(line.updated_at),
        "waiting": lambda: line.waiting_on,
    }
    return values[column.key]()


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""
