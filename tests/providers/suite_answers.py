"""What every kind of answer means for every kind of write."""

import pytest

from crm_admin.errors import NeedsAttention, RetryLater
from crm_admin.providers.base import Ending
from tests.providers.lab import BROKEN, NO_ANSWER, NONSENSE, Lab, closed_port


class Answers:
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
