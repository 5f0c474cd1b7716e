"""What the engine may rely on when it reads."""

import pytest

from crm_admin.errors import NeedsAttention, ProviderBroken, RetryLater
from tests.providers.lab import BROKEN, NO_ANSWER, NONSENSE, Lab, closed_port


class Reading:
    def test_a_full_pass_returns_every_living_record_once(self, lab: Lab) -> None:
        ids = [lab.add(number) for number in range(230)]
        lab.edit(ids[3], archived=True)

        records = lab.read_all(lab.open())

        assert sorted(record.id for record in records) == sorted(set(ids) - {ids[3]})
        assert records[0].properties[lab.facts.key] is not None
        assert all(record.updated_at and record.updated_at.tzinfo for record in records)

    def test_an_empty_account_is_one_empty_page(self, lab: Lab) -> None:
        assert lab.read_all(lab.open()) == []

    def test_archived_records_are_listed_apart(self, lab: Lab) -> None:
        kept, gone = lab.add(1), lab.add(2)
        lab.edit(gone, archived=True)

        records = lab.read_all(lab.open(), archived=True)

        assert [record.id for record in records] == [gone]
        assert records[0].archived
        assert kept in lab.truth()

    def test_changes_are_those_of_the_window(self, lab: Lab) -> None:
        lab.config(index_lag=0)
        lab.add(1)
        edited = lab.add(2)
        lab.edit(edited, properties={lab.facts.text: "Changed"})

        records = {record.id: record for record in lab.read_changes(lab.open())}

        assert len(records) == 2
        assert records[edited].properties[lab.facts.text] == "Changed"

    def test_records_come_with_what_they_refer_to(self, lab: Lab) -> None:
        lab.config(index_lag=0)
        parent = lab.add_parent(1)
        provider = lab.open()
        [made] = provider.write(
            lab.facts.name, [lab.related(write, parent) for write in lab.creates(1)]
        )
        alone = lab.add(2)
        assert made.record is not None

        asked = (lab.facts.parent,)
        listed = {one.id: one for one in lab.read_all(provider, associations=asked)}
        changed = {one.id: one for one in lab.read_changes(provider, associations=asked)}
        [got] = provider.get(lab.facts.name, [made.record.id], (), asked)

        for found in (listed, changed):
            assert found[made.record.id].associations == {lab.facts.parent: (parent,)}
            assert found[alone].associations == {lab.facts.parent: ()}
        assert got.associations == {lab.facts.parent: (parent,)}

    def test_many_records_are_read_by_id_and_unknown_ones_left_out(self, lab: Lab) -> None:
        ids = [lab.add(number) for number in range(120)]
        lab.edit(ids[7], archived=True)

        records = lab.open().get(lab.facts.name, [*ids, "99999999", ids[0]], (lab.facts.key,))

        assert sorted(record.id for record in records) == sorted(set(ids) - {ids[7]})

    def test_records_are_found_by_their_unique_field(self, lab: Lab) -> None:
        lab.config(index_lag=60)
        ids = [lab.add(number) for number in range(120)]
        values = [lab.facts.make(number)[lab.facts.key] for number in range(120)]

        records = lab.open().find(lab.facts.name, lab.facts.key, [*values, "nobody@x.example"], ())

        assert sorted(record.id for record in records) == sorted(ids)
        assert all(record.properties[lab.facts.key] in values for record in records)

    def test_records_are_found_by_our_key_at_once(self, lab: Lab) -> None:
        lab.config(index_lag=60)
        provider = lab.open(marker=True)
        [made] = provider.write(lab.facts.name, lab.creates(1, marker=True))

        [found] = provider.find(lab.facts.name, provider.spec.marker_field, ["key-1", "key-2"], ())

        assert made.record is not None
        assert found.id == made.record.id

    def test_records_are_found_by_a_field_that_is_not_unique(self, lab: Lab) -> None:
        lab.config(index_lag=0)
        twins = {lab.add(number, **{lab.facts.text: "Same"}) for number in range(3)}
        lab.add(4)

        records = lab.open().find(lab.facts.name, lab.facts.text, ["Same"], ())

        assert {record.id for record in records} == twins

    @pytest.mark.parametrize("fault", NONSENSE)
    def test_nonsense_is_never_taken_for_an_empty_list(self, lab: Lab, fault: str) -> None:
        lab.add(1)
        lab.fault(fault, lab.facts.listing)

        with pytest.raises(ProviderBroken):
            lab.read_all(lab.open())

    @pytest.mark.parametrize("fault", NONSENSE)
    def test_nonsense_is_never_taken_for_no_changes(self, lab: Lab, fault: str) -> None:
        lab.config(index_lag=0)
        lab.add(1)
        lab.fault(fault, lab.facts.changes)

        with pytest.raises(ProviderBroken):
            lab.read_changes(lab.open())

    def test_a_list_that_does_not_move_on_is_broken(self, lab: Lab) -> None:
        for number in range(230):
            lab.add(number)
        lab.fault("repeated_cursor", lab.facts.listing)

        with pytest.raises(ProviderBroken, match="twice"):
            lab.read_all(lab.open())

    @pytest.mark.parametrize("fault", [*BROKEN, *NO_ANSWER, "html", "truncated"])
    def test_a_read_is_tried_again(self, lab: Lab, fault: str) -> None:
        ids = [lab.add(number) for number in range(3)]
        lab.fault(fault, lab.facts.listing, times=2)

        assert {record.id for record in lab.read_all(lab.open())} == set(ids)
        assert len(lab.time.pauses) == 2

    def test_a_read_that_stays_broken_says_so(self, lab: Lab) -> None:
        lab.fault("500", lab.facts.listing)

        with pytest.raises(ProviderBroken, match="500"):
            lab.read_all(lab.open())

    def test_a_crm_that_is_not_there_is_asked_later(self, lab: Lab) -> None:
        with pytest.raises(RetryLater, match="cannot be reached"):
            lab.read_all(lab.open(url=closed_port()))

    def test_a_short_wait_is_waited_for(self, lab: Lab) -> None:
        lab.add(1)
        lab.fault("429", lab.facts.listing, times=1, seconds=3)

        assert len(lab.read_all(lab.open())) == 1
        assert lab.time.pauses == [3.0]

    def test_a_long_wait_is_the_callers(self, lab: Lab) -> None:
        lab.fault("429", lab.facts.listing, seconds=600)

        with pytest.raises(RetryLater) as later:
            lab.read_all(lab.open())

        assert later.value.after_seconds == 600

    def test_refused_credentials_need_a_person(self, lab: Lab) -> None:
        lab.fault("token_expired", lab.facts.listing)

        with pytest.raises(NeedsAttention, match="token"):
            lab.read_all(lab.open())

    def test_a_missing_right_is_named(self, lab: Lab) -> None:
        lab.fault("scope_removed", lab.facts.listing, value=lab.facts.read_scope)

        with pytest.raises(NeedsAttention, match=lab.facts.read_scope):
            lab.read_all(lab.open())

    def test_their_clock_is_measured(self, lab: Lab) -> None:
        lab.config(clock_offset=3600)
        provider = lab.open()
        assert provider.clock_offset() == 0

        lab.read_all(provider)

        assert provider.clock_offset() == pytest.approx(3600, abs=5)
