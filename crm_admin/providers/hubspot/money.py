"""Gives a deal's amount and its currency as one field: HubSpot keeps them apart, and either alone
says too little.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crm_admin.jsontypes import Json
from crm_admin.providers.base import RemoteField, RemoteRecord, RemoteSchema, Wire
from crm_admin.providers.hubspot.spec import AMOUNT, AMOUNT_AND_CURRENCY, CURRENCY

OBJECT = "deals"
LABEL = "Amount with currency"


def asked(name: str, properties: Sequence[str]) -> tuple[str, ...]:
    """Return the properties to ask HubSpot for."""
    if name != OBJECT or AMOUNT_AND_CURRENCY not in properties:
        return tuple(properties)
    plain = (one for one in properties if one != AMOUNT_AND_CURRENCY)
    return tuple(dict.fromkeys((*plain, AMOUNT, CURRENCY)))


def composed(
    name: str, properties: Sequence[str], records: tuple[RemoteRecord, ...]
) -> tuple[RemoteRecord, ...]:
    """Return the records with `1200.50 GBP`; without a code where the account has one currency."""
    if name != OBJECT or AMOUNT_AND_CURRENCY not in properties:
        return records
    return tuple(with_amount(name, record) for record in records)


def with_amount(name: str, record: RemoteRecord) -> RemoteRecord:
    """Return one record with its amount and currency, where its amount is known."""
    if name != OBJECT or AMOUNT not in record.properties:
        return record
    amount, code = record.properties[AMOUNT], record.properties.get(CURRENCY)
    held: Json = amount if amount in (None, "") or not code else f"{amount} {code}"
    return replace(record, properties={**record.properties, AMOUNT_AND_CURRENCY: held})


def split(name: str, properties: Mapping[str, Wire]) -> Mapping[str, Wire]:
    """Return what to write; an amount that is emptied leaves the currency as it is."""
    if name != OBJECT or AMOUNT_AND_CURRENCY not in properties:
        return properties
    amount, _, code = str(properties[AMOUNT_AND_CURRENCY] or "").partition(" ")
    rest = {key: value for key, value in properties.items() if key != AMOUNT_AND_CURRENCY}
    return {**rest, AMOUNT: amount, **({CURRENCY: code} if code else {})}


def described(schema: RemoteSchema) -> RemoteSchema:
    """Return the fields of deals with this one among them, where both parts exist."""
    names = {field.name for field in schema.fields}
    if schema.object != OBJECT or not {AMOUNT, CURRENCY} <= names:
        return schema
    field = RemoteField(AMOUNT_AND_CURRENCY, LABEL, "money")
    return replace(schema, fields=(*schema.fields, field))
