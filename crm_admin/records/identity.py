"""When two records are one: match keys for look-ups, and a likeness for what keys cannot say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import exp
from typing import Final, NamedTuple

from rapidfuzz.distance import JaroWinkler
from rapidfuzz.fuzz import token_sort_ratio

from crm_admin.jsontypes import Json
from crm_admin.records.kinds import FieldType, KeyRule, KeyType, RecordKind
from crm_admin.records.names import company_name, domain, person_name, plain_words
from crm_admin.records.phones import e164, region_of

SURE: Final = 0.97
"""From here on two records are one without asking."""
GREY: Final = 0.80
"""From here on a person is asked."""

LONGEST_KEY: Final = 200
COUNTRY_FIELDS: Final = ("country", "country_code")
MOST_PLANS: Final = 256


class Key(NamedTuple):
    """A normal form of some of a record's values; strong keys match alone."""

    type: KeyType
    value: str
    strong: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """How probable it is that two records are one; a reason is (field, points, sentence)."""

    score: float
    reasons: tuple[tuple[str, float, str], ...]


_Maker = Callable[[Mapping[str, Json], KeyRule], list[Key]]
_plans: dict[int, tuple[RecordKind, tuple[tuple[_Maker, KeyRule], ...]]] = {}


def keys_of(kind: RecordKind, data: Mapping[str, Json]) -> tuple[Key, ...]:
    """Return the match keys of a record, each once; values that make no key are left out."""
    keys: list[Key] = []
    for make, rule in _plan(kind):
        keys += make(data, rule)
    if len({key.type for key in keys}) == len(keys):
        return tuple(keys)
    first: dict[tuple[KeyType, str], Key] = {}
    for key in keys:
        first.setdefault((key.type, key.value), key)
    return tuple(first.values())


def _plan(kind: RecordKind) -> tuple[tuple[_Maker, KeyRule], ...]:
    """Look the plan up by identity: hashing a kind costs more than making the keys of a record."""
    known = _plans.get(id(kind))
    if known is not None and known[0] is kind:
        return known[1]
    if len(_plans) >= MOST_PLANS:
        _plans.clear()
    plan = tuple((_MAKERS[rule.type], rule) for rule in kind.keys)
    _plans[id(kind)] = (kind, plan)
    return plan


def _texts(data: Mapping[str, Json], rule: KeyRule) -> list[str]:
    found: list[str] = []
    for name in rule.fields:
        value = data.get(name)
        if isinstance(value, str):
            if value:
                found.append(value)
        elif value is not None and isinstance(value, int) and value not in (True, False):
            found.append(str(value))
    return found


def _key(rule: KeyRule, value: str, *, strong: bool | None = None) -> Key:
    if len(value) > LONGEST_KEY:
        value = value[:150] + sha256(value.encode()).hexdigest()[:32]
    return Key(rule.type, value, rule.strong if strong is None else strong, rule.weight)


def _email_keys(data: Mapping[str, Json], rule: KeyRule) -> list[Key]:
    keys: list[Key] = []
    for name in rule.fields:
        text = data.get(name)
        if isinstance(text, str) and "@" in text:
            keys.append(_key(rule, text.strip().lower()))
    return keys


def _phone_keys(data: Mapping[str, Json], rule: KeyRule) -> list[Key]:
    """A number without country is a weak key of its digits: the same digits exist in many
    countries.
    """
    keys: list[Key] = []
    texts = _texts(data, rule)
    region = _region(data) if texts else None
    for text in texts:
        number = e164(text, region)
        if number is not None:
            keys.append(_key(rule, number))
            continue
        digits = "".join(letter for letter in text if letter.isdigit())
        if len(digits) >= 7:
            keys.append(_key(rule, digits, strong=False))
    return keys


def _region(data: Mapping[str, Json]) -> str | None:
    for name in COUNTRY_FIELDS:
        country = data.get(name)
        if isinstance(country, str) and country:
            return region_of(country)
    return None


def _domain_keys(data: Mapping[str, Json], rule: KeyRule) -> list[Key]:
    return [_key(rule, host) for text in _texts(data, rule) if (host := domain(text))]


def _name_keys(data: Mapping[str, Json], rule: KeyRule) -> list[Key]:
    block = _name(data, rule)
    if not block or (len(rule.fields) > 1 and " " not in block):
        return []
    return [_key(rule, block)]


def _name(data: Mapping[str, Json], rule: KeyRule) -> str:
    parts = _texts(data, rule)
    return person_name(*parts) if len(rule.fields) > 1 else company_name(" ".join(parts))


def _exact_keys(data: Mapping[str, Json], rule: KeyRule) -> list[Key]:
    parts = [" ".join(text.split()).casefold() for text in _texts(data, rule)]
    return [_key(rule, " · ".join(parts))] if len(parts) == len(rule.fields) and all(parts) else []


_MAKERS: Final[Mapping[KeyType, _Maker]] = {
    KeyType.EMAIL: _email_keys,
    KeyType.PHONE: _phone_keys,
    KeyType.DOMAIN: _domain_keys,
    KeyType.NAME: _name_keys,
    KeyType.EXACT: _exact_keys,
}

# Points are log odds. Two records that were compared at all start below even; what is rare to share
# by chance weighs most, and a difference weighs less than a likeness because people change
# addresses.
START: Final = -3.0
AGREE: Final = {
    KeyType.EMAIL: 8.0,
    KeyType.PHONE: 6.0,
    KeyType.DOMAIN: 5.0,
    KeyType.NAME: 4.7,
    KeyType.EXACT: 9.0,
}
DIFFER: Final = {
    KeyType.EMAIL: -2.0,
    KeyType.PHONE: -1.5,
    KeyType.DOMAIN: -2.5,
    KeyType.NAME: -3.5,
    KeyType.EXACT: -4.0,
}
WORDS: Final = {
    KeyType.EMAIL: "e-mail address",
    KeyType.PHONE: "phone number",
    KeyType.DOMAIN: "domain",
    KeyType.NAME: "name",
    KeyType.EXACT: "key",
}
NAME_FLOOR: Final = 0.72
SMALL_TYPES: Final = frozenset({FieldType.STRING, FieldType.ENUM, FieldType.DATE})
SMALL_AGREE: Final = {FieldType.STRING: 0.6, FieldType.ENUM: 0.2, FieldType.DATE: 2.0}
SMALL_DIFFER: Final = {FieldType.STRING: -0.3, FieldType.ENUM: -0.1, FieldType.DATE: -1.5}
SMALL_CAP: Final = 1.5


def likeness(kind: RecordKind, a: Mapping[str, Json], b: Mapping[str, Json]) -> Likeness:
    """Return how probable it is that two records of a kind are one, and why, weightiest reason
    first.

    A field that is blank on either side says nothing.
    """
    reasons = [reason for rule in kind.keys if (reason := _compare(rule, a, b))]
    reasons += _small_reasons(kind, a, b)
    points = START + sum(reason[1] for reason in reasons)
    ordered = sorted(reasons, key=lambda reason: -abs(reason[1]))
    return Likeness(1.0 / (1.0 + exp(-points)), tuple(ordered))


def _compare(
    rule: KeyRule, a: Mapping[str, Json], b: Mapping[str, Json]
) -> tuple[str, float, str] | None:
    if rule.type is KeyType.NAME:
        return _compare_names(rule, a, b)
    keys_a, keys_b = ({key.value for key in _MAKERS[rule.type](side, rule)} for side in (a, b))
    if not keys_a or not keys_b:
        return None
    field, word = rule.fields[0], WORDS[rule.type]
    if keys_a & keys_b:
        return field, AGREE[rule.type] * rule.weight, f"Same {word}: {min(keys_a & keys_b)}."
    return field, DIFFER[rule.type] * rule.weight, f"Different {word}."


def _compare_names(
    rule: KeyRule, a: Mapping[str, Json], b: Mapping[str, Json]
) -> tuple[str, float, str] | None:
    one, other = _name(a, rule), _name(b, rule)
    if not one or not other:
        return None
    alike = _name_likeness(one, other)
    if alike >= 1.0:
        return rule.fields[0], AGREE[rule.type] * rule.weight, "Same name."
    if alike < NAME_FLOOR:
        return (
            rule.fields[0],
            DIFFER[rule.type] * rule.weight,
            f"Different names ({alike:.0%} alike).",
        )
    # Between floor and equal the points climb from a slight doubt to nearly full.
    points = -0.5 + (AGREE[rule.type] - 0.2) * (alike - NAME_FLOOR) / (1.0 - NAME_FLOOR)
    return rule.fields[0], points * rule.weight, f"Names {alike:.0%} alike."


def _name_likeness(one: str, other: str) -> float:
    if one == other:
        return 1.0
    by_letters = JaroWinkler.similarity(one, other)
    by_words = token_sort_ratio(one, other) / 100.0
    return min(0.99, max(by_letters * 0.98, by_words))


def _small_reasons(
    kind: RecordKind, a: Mapping[str, Json], b: Mapping[str, Json]
) -> list[tuple[str, float, str]]:
    """The other fields support or weaken a case and never make one: their sum is capped."""
    in_keys = {name for rule in kind.keys for name in rule.fields}
    found: list[tuple[str, float, str]] = []
    total = 0.0
    for field in kind.fields:
        one, other = a.get(field.name), b.get(field.name)
        if field.name in in_keys or field.type not in SMALL_TYPES:
            continue
        if not isinstance(one, str) or not isinstance(other, str) or not one or not other:
            continue
        agree = plain_words(one) == plain_words(other)
        points = (SMALL_AGREE if agree else SMALL_DIFFER)[field.type]
        points = max(-SMALL_CAP, min(SMALL_CAP, total + points)) - total
        total += points
        if points:
            verdict = "Same" if agree else "Different"
            found.append((field.name, points, f"{verdict} {field.label.lower()}."))
    return found
