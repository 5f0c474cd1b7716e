"""Values as a person types them into a form, and back."""

import re
from collections.abc import Mapping, Sequence

from crm_admin.blueprints.wording import _
from crm_admin.jsontypes import Json
from crm_admin.records.kinds import Field, FieldType, RecordKind

CURRENCY = re.compile(r"\s*[A-Za-z]{3}\s*$")
LISTS = frozenset({FieldType.MULTI_ENUM, FieldType.ARRAY})


def editable(kind: RecordKind) -> Sequence[Field]:
    """Return the fields a form can change; the owner's id keeps its own way."""
    return [field for field in kind.fields if field.name != kind.promoted.owner]


def typed(value: object) -> str:
    """Return a stored value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return f"{value.get('amount', '')} {value.get('currency', '')}".strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return str(value)


def entered(field: Field, value: str, before: Json) -> Json:
    """Return what a person typed as its field takes it; money without a currency keeps the one
    it had."""
    if field.type in LISTS:
        return [part.strip() for part in value.split(",") if part.strip()]
    if field.type is not FieldType.MONEY or not value:
        return value
    amount, currency = value, before.get("currency", "") if isinstance(before, Mapping) else ""
    if parts := CURRENCY.search(value):
        amount, currency = value[: parts.start()], parts[0].strip()
    return {"amount": "".join(amount.split()), "currency": currency}


def choices(field: Field, value: str) -> list[tuple[str, str]]:
    """Return what may be chosen; an unlisted value stays choosable, or saving would lose it."""
    listed = [(option.code, option.label) for option in field.options]
    extra = [] if not value or value in dict(listed) else [(value, value)]
    return [("", _("none")), *extra, *listed]


def hint(field: Field) -> str:
    """Return what a form says about how to type a field's value."""
    hints = {
        FieldType.MONEY: _("An amount and a currency, like 12400.50 EUR"),
        FieldType.DATE: _("A date like 2026-12-18"),
        FieldType.DATETIME: _("A time like 2026-12-18T14:00:00Z"),
        FieldType.PHONE: _("With country code, like +49 30 901820"),
        FieldType.URL: _("An address that starts with https://"),
        FieldType.MULTI_ENUM: _("Codes with commas between them"),
        FieldType.ARRAY: _("Words with commas between them"),
        FieldType.REFERENCE: _("Its whole name, e-mail address or id"),
    }
    return field.help or hints.get(field.type, "")
