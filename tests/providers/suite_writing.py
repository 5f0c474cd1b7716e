"""What the engine may rely on when it writes."""

from dataclasses import replace

import pytest

from crm_admin.providers.base import Ending
from tests.providers.lab import Lab


class Writing:
    def test_records_are_created_in_the_order_asked(self, lab: Lab) -> None:
        outcomes = lab.open().write(lab.facts.name, lab.creates(1, 2, 3))

        assert [outcome.trace for outcome in outcomes] == ["trace-1", "trace-2", "trace-3"]
        assert all(outcome.ending is Ending.DONE and outcome.created for outcome in outcomes)
        truth = lab.truth()
        for number, outcome in enumerate(outcomes, 1):
            assert outcome.record is not None
            value = lab.facts.make(number)[lab.facts.key]
            assert truth[outcome.record.id][lab.facts.key] == value
            assert outcome.record.properties[lab.facts.key] == value

    def test_nothing_to_write_is_nothing_done(self, lab: Lab) -> None:
        assert lab.open().write(lab.facts.name, []) == ()
        assert lab.log.entries == []

    def test_a_full_batch_is_one_call(self, lab: Lab) -> None:
        provider = lab.open()

        outcomes = provider.write(lab.facts.name, lab.creates(*range(provider.spec.batch_write)))

        assert all(outcome.ending is Ending.DONE for outcome in outcomes)
        assert len(lab.log.entries) == 1

    def test_a_create_with_our_key_can_be_repeated(self, lab: Lab) -> None:
        provider = lab.open(marker=True)

        [first] = provider.write(lab.facts.name, lab.creates(1, marker=True))
        [second] = provider.write(lab.facts.name, lab.creates(1, marker=True))

        assert (first.created, second.created) == (True, False)
        assert first.record is not None
        assert second.record is not None
        assert first.record.id == second.record.id
        assert len(lab.truth()) == 1

    def test_an_update_changes_what_it_names(self, lab: Lab) -> None:
        record_id = lab.add(1)

        [outcome] = lab.open().write(
            lab.facts.name, [lab.update(record_id, **{lab.facts.text: "New"})]
        )

        assert outcome.ending is Ending.DONE
        assert outcome.record is not None
        assert outcome.record.properties[lab.facts.text] == "New"
        truth = lab.truth()[record_id]
        assert truth[lab.facts.text] == "New"
        assert truth[lab.facts.key] == lab.facts.make(1)[lab.facts.key]

    @pytest.mark.parametrize("value", [None, ""])
    def test_an_empty_value_clears(self, lab: Lab, value: str | None) -> None:
        record_id = lab.add(1)

        lab.open().write(lab.facts.name, [lab.update(record_id, **{lab.facts.text: value})])

        assert not lab.truth()[record_id].get(lab.facts.text)

    def test_archiving_twice_is_archiving_once(self, lab: Lab) -> None:
        record_id = lab.add(1)
        provider = lab.open()

        for _ in range(2):
            [outcome] = provider.write(lab.facts.name, [lab.archive(record_id)])
            assert outcome.ending is Ending.DONE

        assert lab.truth() == {}
        assert len(lab.happened("archive")) == 1

    def test_references_are_added_and_taken_away(self, lab: Lab) -> None:
        old, new = lab.add_parent(1), lab.add_parent(2)
        provider = lab.open(marker=True)
        [made] = provider.write(
            lab.facts.name,
            [lab.related(write, old) for write in lab.creates(1, marker=True)],
        )
        assert made.record is not None
        record_id = made.record.id
        moved = lab.related(lab.update(record_id), new, remove=(old,))

        [outcome] = provider.write(lab.facts.name, [moved])

        [record] = provider.get(lab.facts.name, [record_id], (), (lab.facts.parent,))
        assert outcome.ending is Ending.DONE
        assert record.associations == {lab.facts.parent: (new,)}

    def test_a_reference_to_nothing_is_refused_with_the_record_written(self, lab: Lab) -> None:
        provider = lab.open(marker=True)
        write = lab.related(lab.creates(1, marker=True)[0], "99999999")

        [outcome] = provider.write(lab.facts.name, [write])

        assert outcome.ending is Ending.REJECTED
        assert outcome.record is not None
        assert outcome.record.id in lab.truth()

    def test_a_spoiled_record_does_not_hold_up_the_others(self, lab: Lab) -> None:
        writes = lab.creates(*range(7))
        writes[4] = replace(writes[4], properties=lab.facts.spoiled)

        outcomes = lab.open().write(lab.facts.name, writes)

        endings = [outcome.ending for outcome in outcomes]
        assert endings == [Ending.DONE] * 4 + [Ending.REJECTED] + [Ending.DONE] * 2
        assert outcomes[4].field == lab.facts.spoiled_field
        assert outcomes[4].sentence
        assert len(lab.truth()) == 6

    def test_a_key_that_is_taken_names_its_holder(self, lab: Lab) -> None:
        holder = lab.add(1)

        taken, free = lab.open().write(lab.facts.name, lab.creates(1, 2))

        assert taken.ending is Ending.EXISTS
        assert taken.existing_id == holder
        assert free.ending is Ending.DONE

    def test_a_record_that_is_gone_is_told_apart(self, lab: Lab) -> None:
        record_id = lab.add(1)
        writes = [lab.update(one, **{lab.facts.text: "X"}) for one in (record_id, "99999999")]

        here, gone = lab.open().write(lab.facts.name, writes)

        assert here.ending is Ending.DONE
        assert gone.ending is Ending.GONE

    def test_each_item_keeps_its_outcome_when_the_answer_is_shuffled(self, lab: Lab) -> None:
        lab.fault("shuffled", lab.facts.creates)

        outcomes = lab.open().write(lab.facts.name, lab.creates(*range(20)))

        for number, outcome in enumerate(outcomes):
            assert outcome.record is not None
            value = outcome.record.properties[lab.facts.key]
            assert value == lab.facts.make(number)[lab.facts.key]

    def test_an_item_the_answer_does_not_name_is_unknown(self, lab: Lab) -> None:
        lab.fault("missing_items", lab.facts.creates, value=2)

        outcomes = lab.open().write(lab.facts.name, lab.creates(*range(5)))

        endings = [outcome.ending for outcome in outcomes]
        assert sorted(endings) == [Ending.DONE] * 3 + [Ending.UNKNOWN] * 2
        assert len(lab.truth()) == 5

    def test_a_stranger_in_the_answer_is_nobodys_outcome(self, lab: Lab) -> None:
        lab.fault("extra_items", lab.facts.creates)

        outcomes = lab.open().write(lab.facts.name, lab.creates(1, 2))

        assert [outcome.ending for outcome in outcomes] == [Ending.DONE] * 2

    def test_half_a_batch_is_unknown_and_can_be_repeated_by_key(self, lab: Lab) -> None:
        provider = lab.open(marker=True)
        writes = lab.creates(*range(10), marker=True)
        lab.fault("half_batch", "batch/", times=1)

        first = provider.write(lab.facts.name, writes)
        second = provider.write(lab.facts.name, writes)

        assert {outcome.ending for outcome in first} == {Ending.UNKNOWN}
        assert [outcome.created for outcome in second] == [False] * 5 + [True] * 5
        assert len(lab.truth()) == 10
