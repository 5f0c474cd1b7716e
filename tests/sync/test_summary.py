import pytest

from crm_admin.sync.states import RunState
from crm_admin.sync.summary import Summary, Tally, as_json, in_words, summary_of

STORED = {
    "read": 1_200,
    "ours_created": 2,
    "ours_updated": 3,
    "theirs_updated": 4,
    "unchanged": 1_190,
    "conflicts": 1,
    "failed": 2,
    "skipped": 3,
    "calls": 15,
    "writes_theirs": 4,
    "something_else": 9,
}


def test_stored_counts_are_read_and_shown_as_they_are() -> None:
    summary = summary_of(STORED)

    assert summary.ours == Tally(2, 3, 0)
    assert summary.changed == 9
    assert as_json(summary)["theirs"] == {"created": 0, "updated": 4, "deleted": 0}
    names = "read ours theirs unchanged skipped conflicts failed calls writes_theirs"
    assert list(as_json(summary)) == names.split()


def test_parts_add_up_to_the_whole() -> None:
    whole = summary_of(STORED) + summary_of({"read": 1, "ours_deleted": 1, "calls": True})

    assert (whole.read, whole.ours, whole.calls) == (1_201, Tally(2, 3, 1), 15)
    assert whole + Summary() == whole


@pytest.mark.parametrize(
    ("summary", "state", "reason", "words"),
    [
        (Summary(), RunState.SUCCEEDED, "", "Nothing changed."),
        (Summary(read=1), RunState.SUCCEEDED, "", "Nothing changed among 1 record."),
        (
            summary_of(STORED),
            RunState.PARTIAL,
            "",
            (
                "2 created, 3 updated in CRM Admin and 4 updated in HubSpot."
                " 1 conflict to settle, 2 failed, 3 skipped."
            ),
        ),
        (Summary(), RunState.FAILED, "The token was refused.", "Failed: The token was refused."),
        (
            Summary(ours=Tally(deleted=1)),
            RunState.CANCELLED,
            "",
            "Stopped. 1 deleted in CRM Admin.",
        ),
    ],
    ids=["nothing", "nothing among one", "partial", "failed", "stopped"],
)
def test_a_run_is_told_in_a_sentence(
    summary: Summary, state: RunState, reason: str, words: str
) -> None:
    assert in_words(summary, state, "HubSpot", reason) == words
