"""The suite every provider passes against its simulator: what the engine may rely on.

A provider's test file gives a `facts` fixture and inherits from these classes.
"""

import socket
from dataclasses import replace

import pytest

from crm_admin.errors import CrmAdminError, NeedsAttention, ProviderBroken, RetryLater
from crm_admin.providers.base import Action, Ending, NewField, Write
from tests.providers.lab import Lab, by_trace

NONSENSE = ("html", "empty", "truncated", "wrong_content_type", "nan", "redirect")
NO_ANSWER = ("timeout_before", "timeout_after", "reset_before", "reset_after")
BROKEN = ("500", "502", "503", "504")


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


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


class Answers:
    """What every kind of answer means for every kind of write."""

    @pytest.mark.parametrize("fault", [*BROKEN, *NO_ANSWER, *NONSENSE, "408"])
    def test_a_write_without_a_clear_answer_is_unknown_and_sent_once(
        self, lab: Lab, fault: str
    ) -> None:
        record_id = lab.add(1)
        provider = lab.open()
        lab.fault(fault, lab.facts.creates)
        [create] = provider.write(lab.facts.name, lab.creates(2))
        lab.fault(fault, lab.facts.updates)
        [update] = provider.write(lab.facts.name, [lab.update(record_id, **{lab.facts.text: "X"})])

        assert create.ending is Ending.UNKNOWN
        assert update.ending is Ending.UNKNOWN
        assert len(lab.log.entries) == 2
        assert lab.time.pauses == []

    @pytest.mark.parametrize("fault", [*BROKEN, *NO_ANSWER, "408"])
    def test_an_archive_without_a_clear_answer_is_done_again_later(
        self, lab: Lab, fault: str
    ) -> None:
        record_id = lab.add(1)
        lab.fault(fault, lab.facts.archives)

        [outcome] = lab.open().write(lab.facts.name, [lab.archive(record_id)])

        assert outcome.ending is Ending.LATER

    @pytest.mark.parametrize("fault", ["429", "423", "477"])
    def test_a_busy_crm_had_no_effect_and_says_when(self, lab: Lab, fault: str) -> None:
        lab.fault(fault, lab.facts.creates, seconds=7)

        [outcome] = lab.open().write(lab.facts.name, lab.creates(1))

        assert outcome.ending is Ending.LATER
        assert outcome.after_seconds == 7
        assert lab.truth() == {}

    @pytest.mark.parametrize("fault", ["400", "422", "413"])
    def test_a_refused_write_had_no_effect(self, lab: Lab, fault: str) -> None:
        record_id = lab.add(1)
        provider = lab.open()
        lab.fault(fault, lab.facts.creates)
        creates = provider.write(lab.facts.name, lab.creates(2, 3))
        lab.fault(fault, lab.facts.updates)
        [update] = provider.write(lab.facts.name, [lab.update(record_id, **{lab.facts.text: "X"})])

        endings = [outcome.ending for outcome in (*creates, update)]
        assert endings == [Ending.REJECTED] * 3
        assert update.sentence

    @pytest.mark.parametrize(
        ("fault", "create", "update", "archive"),
        [
            ("404", Ending.REJECTED, Ending.GONE, Ending.DONE),
            ("410", Ending.REJECTED, Ending.GONE, Ending.DONE),
            ("409", Ending.EXISTS, Ending.EXISTS, Ending.EXISTS),
            ("412", Ending.LATER, Ending.LATER, Ending.LATER),
        ],
    )
    def test_absence_conflict_and_precondition(
        self, lab: Lab, fault: str, create: Ending, update: Ending, archive: Ending
    ) -> None:
        record_id = lab.add(1)
        provider = lab.open()
        lab.fault(fault, "batch/")

        outcomes = [
            provider.write(lab.facts.name, [write])[0].ending
            for write in (
                lab.creates(2)[0],
                lab.update(record_id, **{lab.facts.text: "X"}),
                lab.archive(record_id),
            )
        ]

        assert outcomes == [create, update, archive]

    def test_a_crm_that_is_not_there_had_no_effect(self, lab: Lab) -> None:
        [outcome] = lab.open(url=closed_port()).write(lab.facts.name, lab.creates(1))

        assert outcome.ending is Ending.LATER
        assert outcome.after_seconds

    def test_refused_credentials_stop_the_connection(self, lab: Lab) -> None:
        lab.fault("token_expired", lab.facts.creates)

        with pytest.raises(NeedsAttention):
            lab.open().write(lab.facts.name, lab.creates(1))

        assert lab.truth() == {}

    def test_a_missing_right_is_refused_by_name(self, lab: Lab) -> None:
        lab.fault("scope_removed", lab.facts.creates, value=lab.facts.write_scope)

        [outcome] = lab.open().write(lab.facts.name, lab.creates(1))

        assert outcome.ending is Ending.REJECTED
        assert lab.facts.write_scope in outcome.sentence

    def test_an_error_after_the_first_call_spoils_no_outcome(self, lab: Lab) -> None:
        parent = lab.add_parent(1)
        provider = lab.open(marker=True)
        write = lab.related(lab.creates(1, marker=True)[0], parent)
        lab.fault("token_expired", "associations")

        [outcome] = provider.write(lab.facts.name, [write])

        assert outcome.ending is Ending.LATER
        assert outcome.record is not None
        lab.heal()
        [again] = provider.write(lab.facts.name, [write])
        [record] = provider.get(lab.facts.name, [outcome.record.id], (), (lab.facts.parent,))
        assert again.ending is Ending.DONE
        assert record.associations == {lab.facts.parent: (parent,)}

    def test_an_open_breaker_sends_nothing(self, lab: Lab) -> None:
        provider = lab.open()
        lab.fault("500", "batch/")
        for _ in range(10):
            provider.write(lab.facts.name, lab.creates(1))
        lab.heal()

        with pytest.raises(RetryLater):
            provider.write(lab.facts.name, lab.creates(1))

        assert lab.truth() == {}


class Setting:
    """Checks, descriptions and the field of our key."""

    NAMES = ("address", "credentials", "account", "scopes", "fields", "write", "clock")

    def test_a_good_connection_passes_every_line_and_writes_nothing(self, lab: Lab) -> None:
        record_id = lab.add(1)
        before = lab.truth()

        lines = list(lab.open().check([lab.facts.name, lab.facts.parent]))

        assert tuple(line.name for line in lines) == self.NAMES
        assert [line.ok for line in lines] == [True] * len(self.NAMES)
        assert all(line.sentence for line in lines)
        assert lab.truth() == before
        assert record_id in before

    def test_a_closed_address_fails_its_line_and_the_rest_is_not_tried(self, lab: Lab) -> None:
        lines = list(lab.open(url=closed_port()).check([lab.facts.name]))

        assert [line.ok for line in lines] == [False] + [None] * 6
        assert lines[0].fix

    def test_a_wrong_token_fails_its_line_and_the_rest_is_not_tried(self, lab: Lab) -> None:
        lines = list(lab.open(access_token="wrong").check([lab.facts.name]))

        assert [line.ok for line in lines] == [True, False] + [None] * 5
        assert lines[1].fix

    def test_a_missing_right_to_write_is_named(self, lab: Lab) -> None:
        lab.config(tokens={"limited": lab.facts.scopes_without(lab.facts.write_scope)})

        lines = {
            line.name: line for line in lab.open(access_token="limited").check([lab.facts.name])
        }

        assert lines["scopes"].ok is True
        assert lines["write"].ok is False
        assert lab.facts.write_scope in lines["write"].fix

    def test_a_missing_right_to_read_is_named(self, lab: Lab) -> None:
        lab.config(tokens={"limited": lab.facts.scopes_without(lab.facts.read_scope)})

        lines = {
            line.name: line for line in lab.open(access_token="limited").check([lab.facts.name])
        }

        assert lines["scopes"].ok is False
        assert lab.facts.read_scope in lines["scopes"].fix

    def test_a_clock_that_is_off_is_told(self, lab: Lab) -> None:
        lab.config(clock_offset=3600)

        *_, last = lab.open().check([lab.facts.name])

        assert last.name == "clock"
        assert last.ok is False

    def test_the_account_is_known(self, lab: Lab) -> None:
        account = lab.open().account()

        assert account.id
        assert account.environment in ("production", "sandbox")

    def test_fields_are_described(self, lab: Lab) -> None:
        fields = {field.name: field for field in lab.open().describe(lab.facts.name).fields}

        assert fields[lab.facts.key].unique
        assert fields[lab.facts.key].label
        assert any(field.options for field in fields.values())
        assert any(field.read_only for field in fields.values())

    def test_the_field_of_our_key_is_made_once(self, lab: Lab) -> None:
        provider = lab.open()
        new = NewField(provider.spec.marker_field, "Our key", unique=True)

        provider.create_field(lab.facts.name, new)
        provider.create_field(lab.facts.name, new)

        fields = {field.name: field for field in provider.describe(lab.facts.name).fields}
        assert fields[new.name].unique
        assert fields[new.name].custom

    def test_making_it_without_the_right_needs_a_person(self, lab: Lab) -> None:
        lab.config(tokens={"limited": lab.facts.scopes_without(lab.facts.fields_scope)})
        provider = lab.open(access_token="limited")

        with pytest.raises(NeedsAttention, match=lab.facts.fields_scope):
            provider.create_field(
                lab.facts.name, NewField(provider.spec.marker_field, "Our key", unique=True)
            )

    def test_a_connection_without_credentials_is_not_opened(self, lab: Lab) -> None:
        with pytest.raises(NeedsAttention):
            lab.open(access_token="")

    @pytest.mark.parametrize(
        "url", ["http://10.0.0.1", "https://evil.example", "nonsense", "https://x@y"]
    )
    def test_a_strange_address_is_never_called(self, lab: Lab, url: str) -> None:
        with pytest.raises(CrmAdminError):
            lab.read_all(lab.open(url=url))

        assert all(entry.status is None for entry in lab.log.entries)

    def test_no_token_is_ever_logged(self, lab: Lab) -> None:
        provider = lab.open()
        lab.fault("400", lab.facts.creates, times=1)
        provider.write(lab.facts.name, lab.creates(1))
        list(provider.check([lab.facts.name]))

        assert lab.log.entries
        for secret in lab.facts.secrets.values():
            assert secret not in repr(lab.log.entries)


class Conformance(Reading, Writing, Answers, Setting):
    """Everything together."""


__all__ = ["Action", "Conformance", "Write", "by_trace"]
