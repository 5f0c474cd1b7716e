"""A mapping as data: which field of ours meets which of theirs, through which steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crm_admin.jsontypes import Json

ASSOCIATION = "association:"
"""Prefix of a rule's `theirs` when it pairs a reference with associations to another object."""


class Direction(StrEnum):
    BOTH = "both"
    TO_CRM = "to_crm"
    FROM_CRM = "from_crm"


class Policy(StrEnum):
    """Who wins when both sides changed one field to different values."""

    OURS_WINS = "ours_wins"
    THEIRS_WINS = "theirs_wins"
    NEWEST_WINS = "newest_wins"
    PRIMARY_WINS = "primary_wins"
    MANUAL = "manual"


class FirstAgreement(StrEnum):
    """Which value counts when two existing records meet with different values and no agreed
    state.
    """

    OURS = "ours"
    THEIRS = "theirs"
    NEWEST = "newest"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Step:
    """One named transformer with its parameters; it has a declared inverse."""

    name: str
    params: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One line of a mapping. `id` is a short text that stays the same over versions.

    `steps` run from their value to ours in this order, and inverted in reverse order the other way.
    """

    id: str
    ours: str
    theirs: str
    direction: Direction = Direction.BOTH
    required: bool = False
    default: Json = None
    steps: tuple[Step, ...] = ()
    policy: Policy | None = None
    first_agreement: FirstAgreement | None = None

    @property
    def association(self) -> str:
        """The other object's name when the rule pairs a reference with associations, else ""."""
        return self.theirs.removeprefix(ASSOCIATION) if self.theirs.startswith(ASSOCIATION) else ""
