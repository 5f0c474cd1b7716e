"""The search function: words and keys of one organisation's records, through its indexes."""

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from crm_admin import tenancy
from crm_admin.extensions import db
from crm_admin.ids import new_id
from crm_admin.models import RecordKey
from tests import factories

SEARCH = text(
    "SELECT record_id, by_key FROM search_records(:query, ARRAY['contact', 'pov'], :owner, 10)"
)


@pytest.fixture
def place(in_app: Flask) -> UUID:
    return factories.organization()


def _found(
    organization_id: UUID | None, query: str, owner: UUID | None = None
) -> list[tuple[UUID, bool]]:
    with tenancy.acting_for(organization_id):
        rows = db.session.execute(SEARCH, {"query": query, "owner": owner}).all()
        db.session.rollback()
    return [(row.record_id, row.by_key) for row in rows]


def _key(organization_id: UUID, record_id: UUID, key_type: str, value: str) -> None:
    with tenancy.acting_for(organization_id):
        db.session.add(
            RecordKey(
                organization_id=organization_id,
                kind="contact",
                key_type=key_type,
                value=value,
                record_id=record_id,
                strong=True,
            )
        )
        db.session.commit()


@pytest.mark.parametrize(
    "query", ["ana", "SILVA", "sil an", "Ana Silva", "  ana  ", "ana's", "(ana)", "ana & silva"]
)
def test_words_are_found_by_their_beginnings_in_any_order(place: UUID, query: str) -> None:
    record_id = factories.record(place, title="Ana Silva")
    factories.record(place, title="Yusuf Demir")

    assert _found(place, query) == [(record_id, False)]


@pytest.mark.parametrize(
    "query", ["", "  ", "zzz", "\\", "'", "''''", ":*", "!", "a\x01b", "%", "_"]
)
def test_odd_words_find_nothing_and_break_nothing(place: UUID, query: str) -> None:
    factories.record(place, title="Ana Silva")

    assert _found(place, query) == []


def test_a_key_is_found_by_its_beginning_and_comes_first(place: UUID) -> None:
    by_word = factories.record(place, title="Ana Other")
    by_key = factories.record(place, title="Yusuf Demir")
    _key(place, by_key, "email", "ana@nordlicht.test")

    assert _found(place, "ana") == [(by_key, True), (by_word, False)]
    assert _found(place, "ANA@nord") == [(by_key, True)]


def test_other_organisations_and_deleted_records_stay_out(place: UUID) -> None:
    other = factories.organization("Südwind")
    factories.record(other, title="Ana Silva")
    factories.record(place, title="Ana Silva", deleted_at=text("now()"))

    assert _found(place, "ana") == []
    assert _found(None, "ana") == []


def test_a_pov_owner_finds_their_own_povs(place: UUID) -> None:
    owner = new_id()
    own = factories.record(place, "pov", title="Ana expansion", owner_id=owner)
    factories.record(place, "pov", title="Ana renewal", owner_id=new_id())
    factories.record(place, "contact", title="Ana Silva", owner_id=owner)

    assert _found(place, "ana", owner) == [(own, False)]
