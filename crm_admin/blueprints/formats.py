"""Turns values into the words, numbers and times a page shows; everything from a CRM stays
escaped."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import g
from markupsafe import Markup

from crm_admin import clock
from crm_admin.blueprints.access import current_person
from crm_admin.jsontypes import Json
from crm_admin.packs.registry import kinds
from crm_admin.records.kinds import Field, FieldType
from crm_admin.services.queries.frame import zone_of

THIN = "\u202f"
SIGNS = {
    "EUR": "€",
    "GBP": "£",
    "USD": "US$",
    "JPY": "¥",
    "CHF": "CHF",
    "BRL": "R$",
    "PLN": "zł",
    "INR": "₹",
}
LONGEST = 300
DAY = 86_400
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EMPTY = Markup('<span class="gone">empty</span>')


def zone() -> ZoneInfo:
    """Return the zone pages show times in: the person's, else the organisation's, else UTC."""
    if "zone" not in g:
        person = current_person()
        g.zone = zone_of(person) if person else "UTC"
    name = str(g.zone)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def day(value: date) -> str:
    """Return a date as 18 Dec 2026."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def clock_time(value: datetime) -> str:
    """Return the time of day in the person's zone, as 14:02."""
    return value.astimezone(zone()).strftime("%H:%M")


def full_time(value: datetime) -> str:
    """Return weekday, date, time and zone, for titles and details."""
    local = value.astimezone(zone())
    return f"{WEEKDAYS[local.weekday()]} {day(local)}, {local:%H:%M:%S} ({local.tzname()})"


def relative(value: datetime) -> str:
    """Return how long ago or ahead a moment is, within a week; after that its date."""
    seconds = (clock.now() - value).total_seconds()
    if abs(seconds) >= 7 * DAY:
        return day(value.astimezone(zone()))
    size = abs(seconds)
    if size < 5:
        return "just now"
    for unit, length in (("day", DAY), ("hour", 3600), ("minute", 60), ("second", 1)):
        if size >= length:
            amount = int(size // length)
            words = f"{amount} {unit}{'' if amount == 1 else 's'}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "just now"


def when(value: datetime | None, style: str = "relative") -> Markup:
    """Return a time element; style is relative, time (14:02), date or full."""
    if value is None:
        return Markup('<span class="gone">never</span>')
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    local = moment.astimezone(zone())
    words = {
        "time": lambda: clock_time(moment) if _is_today(local) else f"{day(local)}, {local:%H:%M}",
        "date": lambda: day(local),
        "full": lambda: full_time(moment),
        "clock": lambda: clock_time(moment),
    }.get(style, lambda: relative(moment))()
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        local.isoformat(timespec="seconds"), full_time(moment), words
    )


def local_day(value: datetime) -> str:
    """Return the day a moment falls on in the person's zone, with its weekday."""
    local = value.astimezone(zone())
    words = f"{WEEKDAYS[local.weekday()]} {day(local)}"
    return f"Today, {words}" if _is_today(local) else words


def _is_today(local: datetime) -> bool:
    return local.date() == clock.now().astimezone(zone()).date()


def duration(seconds: float | None) -> str:
    """Return a duration as 9 s, 2 min 5 s or 3 h 4 min."""
    if seconds is None:
        return ""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def number(value: float | Decimal | str | None) -> str:
    """Return a number grouped by thin spaces; what is no number comes back as it is."""
    if value is None:
        return ""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 18:
        return str(value)
    return f"{amount:,f}".replace(",", THIN)


def money(value: Mapping[str, Json]) -> str:
    """Return money with its currency in front."""
    currency = str(value.get("currency") or "")
    amount = value.get("amount")
    text = number(amount if isinstance(amount, str | int | float) else None)
    return f"{SIGNS.get(currency, currency)}{THIN}{text}".strip(THIN)


def plain(value: Json, field: Field | None = None) -> str:
    """Return a value as text a person reads; "" for blank ones."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return (
            money(value)
            if "amount" in value
            else ", ".join(f"{key}: {plain(part)}" for key, part in value.items())
        )
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, str):
        return _text(value, field)
    return ", ".join(plain(part, field) for part in value)


def _text(value: str, field: Field | None) -> str:
    if field is None:
        return _cut(value)
    if field.type in {FieldType.ENUM, FieldType.MULTI_ENUM}:
        labels = {option.code: option.label for option in field.options}
        return _cut(labels.get(value, value))
    if field.type in {FieldType.INTEGER, FieldType.DECIMAL}:
        return number(value)
    if field.type is FieldType.DATE:
        return _date(value)
    if field.type is FieldType.DATETIME:
        return _moment(value)
    return _cut(value)


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"


def _date(value: str) -> str:
    try:
        return day(date.fromisoformat(value))
    except ValueError:
        return _cut(value)


def _moment(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _cut(value)
    local = moment.astimezone(zone())
    return f"{day(local)}, {local:%H:%M}"


def shown(value: Json, field: Field | None = None) -> Markup:
    """Return a value as escaped HTML; blank ones say empty."""
    text = plain(value, field)
    return Markup("<bdi>{}</bdi>").format(text) if text else EMPTY


def wire(value: Json) -> Markup:
    """Return a value of a CRM as it came, in the typeface of raw values."""
    text = plain(value) if not isinstance(value, str) else _cut(value)
    return Markup('<bdi class="val">{}</bdi>').format(text) if text else EMPTY


def short_id(value: UUID | str | None) -> str:
    """Return the last 8 characters of an id."""
    return str(value).replace("-", "")[-8:] if value else ""


def count_of(amount: int, one: str, many: str) -> str:
    """Return a grouped count with the right noun."""
    return f"{number(amount)} {one if amount == 1 else many}"


def records_of(kind: str, amount: int) -> str:
    """Return a count of records by what their kind is called; plain records when it is gone."""
    if kind not in kinds():
        return count_of(amount, "record", "records")
    found = kinds()[kind]
    return count_of(amount, noun(found.label), noun(found.plural))


def noun(label: str) -> str:
    """Return a label as it stands inside a sentence: contacts, but POVs."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def initials(name: str) -> str:
    """Return up to two initials of a person."""
    return "".join(part[0] for part in name.split()[:2]).upper() or "?"


def safe_url(value: str | None) -> str:
    """Return the address when it is http(s), else ""; nothing a CRM sends becomes another kind
    of link."""
    text = value or ""
    return text if text.startswith(("https://", "http://")) else ""
