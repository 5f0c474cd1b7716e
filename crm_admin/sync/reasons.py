"""Why a field was decided as it was: a closed list of codes, each with its sentence for people."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    NOT_READ = "not_read"
    UNCHANGED = "unchanged"
    OURS_CHANGED = "ours_changed"
    THEIRS_CHANGED = "theirs_changed"
    BOTH_AGREE = "both_agree"
    FILLED_OURS = "filled_ours"
    FILLED_THEIRS = "filled_theirs"
    FIRST_OURS = "first_ours"
    FIRST_THEIRS = "first_theirs"
    FIRST_NEWEST = "first_newest"
    FIRST_ASK = "first_ask"
    POLICY_OURS = "policy_ours"
    POLICY_THEIRS = "policy_theirs"
    POLICY_NEWEST_OURS = "policy_newest_ours"
    POLICY_NEWEST_THEIRS = "policy_newest_theirs"
    POLICY_PRIMARY_OURS = "policy_primary_ours"
    POLICY_PRIMARY_THEIRS = "policy_primary_theirs"
    ONE_WAY_OURS = "one_way_ours"
    ONE_WAY_THEIRS = "one_way_theirs"
    TOO_CLOSE = "too_close"
    MANUAL = "manual"
    DECLINED = "declined"
    DIRECTION = "direction"
    RULE_FAILED = "rule_failed"
    REQUIRED_BLANK = "required_blank"
    MAPPING_CHANGED = "mapping_changed"


SENTENCES: Final[Mapping[Reason, str]] = {
    Reason.NOT_READ: "{theirs} did not return {field}, so nothing is known about it.",
    Reason.UNCHANGED: "{field} has not changed on either side since both agreed.",
    Reason.OURS_CHANGED: "{field} was changed in {ours} and not in {theirs}.",
    Reason.THEIRS_CHANGED: "{field} was changed in {theirs} and not in {ours}.",
    Reason.BOTH_AGREE: "{field} means the same in {ours} and {theirs}.",
    Reason.FILLED_OURS: "{field} was empty in {ours} and is filled from {theirs}.",
    Reason.FILLED_THEIRS: "{field} was empty in {theirs} and is filled from {ours}.",
    Reason.FIRST_OURS: "The two never agreed on {field}; it was decided that {ours} counts.",
    Reason.FIRST_THEIRS: "The two never agreed on {field}; it was decided that {theirs} counts.",
    Reason.FIRST_NEWEST: (
        "The two never agreed on {field}; it was decided that the newest value counts."
    ),
    Reason.FIRST_ASK: (
        "The two never agreed on {field}; both keep their value until a person decides."
    ),
    Reason.POLICY_OURS: "{field} was changed on both sides; the rule says that {ours} wins.",
    Reason.POLICY_THEIRS: "{field} was changed on both sides; the rule says that {theirs} wins.",
    Reason.POLICY_NEWEST_OURS: (
        "{field} was changed on both sides; the change in {ours} is the newest."
    ),
    Reason.POLICY_NEWEST_THEIRS: (
        "{field} was changed on both sides; the change in {theirs} is the newest."
    ),
    Reason.POLICY_PRIMARY_OURS: (
        "{field} was changed on both sides; the value in {ours} came from the primary connection."
    ),
    Reason.POLICY_PRIMARY_THEIRS: (
        "{field} was changed on both sides; {theirs} is the primary connection."
    ),
    Reason.ONE_WAY_OURS: "{field} was changed on both sides and only goes from {ours} to {theirs}.",
    Reason.ONE_WAY_THEIRS: (
        "{field} was changed on both sides and only comes from {theirs} to {ours}."
    ),
    Reason.TOO_CLOSE: (
        "{field} was changed on both sides so close together that nobody can tell which is newer."
    ),
    Reason.MANUAL: "{field} was changed on both sides; the rule leaves this to a person.",
    Reason.DECLINED: (
        "{field} differs because an undo turned this value down; it stays until a side changes."
    ),
    Reason.DIRECTION: "{field} differs, and the rule does not carry a change in this direction.",
    Reason.RULE_FAILED: "{field} could not be translated between {ours} and {theirs}.",
    Reason.REQUIRED_BLANK: (
        "{field} is required, and one side has emptied it; both keep what they have."
    ),
    Reason.MAPPING_CHANGED: "The rule for {field} was changed and asked to write its values anew.",
}


def sentence(reason: Reason, *, ours_name: str = "CRM Admin", theirs_name: str, field: str) -> str:
    """Return why a field was decided so, in one sentence that names both sides and the field."""
    text = SENTENCES[reason].format(ours=ours_name, theirs=theirs_name, field=field)
    return text[:1].upper() + text[1:]
