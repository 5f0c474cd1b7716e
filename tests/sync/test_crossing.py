"""Between which two moments an edit of theirs lies, as far as we can know."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from crm_admin.mapping.rules import Direction, FieldRule, FirstAgreement, Policy
from crm_admin.packs.registry import kinds
from crm_admin.providers.base import RemoteRecord
from crm_admin.sync.decide import decide
from crm_admin.sync.drafts import Linked, Ours, Pair, RuleUse, StreamFacts
from crm_admin.sync.merge import RuleFacts
from crm_admin.sync.states import Creates, LinkStatus, StreamDirection

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ID = UUID(int=1)
FACTS = RuleFacts(
    "city", Direction.BOTH, Policy.NEWEST_WINS, FirstAgreement.ASK, False, wire_type="string"
)
USE = RuleUse(FieldRule("city", "city", "city"), FACTS, lambda value: value, lambda value: value)
STREAM = StreamFacts(
    ID, "contacts", kinds()["contact"], StreamDirection.BOTH, Creates.BOTH, 1, (USE,)
)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("ours", "stamp", "read", "result"),
    [
        (60, 120, None, "take"),
        (180, 120, None, "send"),
        (102, 120, None, "conflict"),
        (60, 120, 0, "conflict"),
        (-60, 120, 0, "take"),
        (180, 120, 0, "send"),
    ],
    ids=[
        "their edit is after our last read, ours before it",
        "ours is after everything there",
        "ours lies between",
        "only a write of ours lies between ours and their stamp",
        "theirs is after our last read, whatever we wrote since",
        "ours is after everything there, whatever we wrote since",
    ],
)
def test_the_newest_edit_is_judged_by_our_last_read(
    ours: float, stamp: float, read: float | None, result: str
) -> None:
    """Agreed at 100 at the latest: by a read, or by a write of ours after a read at `read`."""
    link = Linked(
        ID,
        ID,
        LinkStatus.LINKED,
        {"city": "Porto"},
        {"city": "Porto"},
        {},
        1,
        "7",
        at(100),
        remote_read_at=None if read is None else at(read),
    )
    origin = {"city": {"at": at(ours).isoformat()}}
    pair = Pair(
        Ours(ID, 2, {"city": "Braga"}, "Ann", at(-1000), origin),
        RemoteRecord("7", {"city": "Lisboa"}, at(stamp)),
        link,
    )

    decided = decide(pair, STREAM)

    found = "take" if decided.take else "send" if decided.send else "conflict"
    assert found == result
    assert len(decided.conflicts) == 1
