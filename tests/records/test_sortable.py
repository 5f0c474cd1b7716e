from decimal import Decimal

import pytest

from crm_admin.records.kinds import FieldType
from crm_admin.records.sortable import sortable

NUMBERS = ["-1000.5", "-1000", "-99", "-9.5", "-9.49", "-0.5", "0", "0.05", "0.5", "5", "12", "100"]


def test_numbers_sort_as_text_like_numbers() -> None:
    texts = [sortable(FieldType.DECIMAL, number) for number in NUMBERS]

    assert texts == sorted(texts)
    assert len(set(texts)) == len(NUMBERS)
    assert sorted(NUMBERS, key=Decimal) == NUMBERS


@pytest.mark.parametrize(
    ("type_name", "value", "text"),
    [
        (FieldType.STRING, "  Summer   Sale ", "summer sale"),
        (FieldType.BOOLEAN, True, "true"),
        (FieldType.DATE, "2026-11-20", "2026-11-20"),
        (FieldType.MONEY, {"amount": "12.50", "currency": "EUR"}, sortable("decimal", "12.5")),
        (FieldType.INTEGER, "no number", ""),
        (FieldType.STRING, None, ""),
        (FieldType.ARRAY, ["a"], ""),
    ],
)
def test_a_value_has_one_text(type_name: str, value: object, text: str) -> None:
    assert sortable(type_name, value) == text
