"""What a decision about one field is made of and ends in, and how its inputs are kept as JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import Direction, FirstAgreement, Policy
from crm_admin.records.values import ABSENT, Absent, is_blank
from crm_admin.sync.reasons import Reason
from crm_admin.sync.states import Side

Convert = Callable[[Json], Json]


class Waiting(Exception):
    """Raised by `to_crm` when a value cannot be sent yet; the rule is decided again once it can."""


class Rewrite(StrEnum):
    """What publishing a changed rule asked for: theirs made anew from ours, ours from theirs, or
    nothing before the next edit.
    """

    THEIRS = "theirs"
    OURS = "ours"
    NOW = "now"


class Primary(StrEnum):
    """What is known about the kind's primary connection for `primary_wins`."""

    THEIRS_IS = "theirs_is"
    OURS_CAME_FROM = "ours_came_from"
    NEITHER = "neither"


class Verdict(StrEnum):
    NOTHING = "nothing"
    AGREE = "agree"
    TAKE = "take"
    SEND = "send"
    CONFLICT = "conflict"
    ASK = "ask"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Base:
    """What each side held after the last agreement, theirs as the CRM returned it."""

    ours: Json | Absent
    theirs: Json | Absent


@dataclass(frozen=True, slots=True)
class Declined:
    """A value that an undo turned down: it counts as unchanged for as long as the side holds it."""

    side: Side
    value_hash: str


@dataclass(frozen=True, slots=True)
class Times:
    """When each side was edited; theirs is known only as an interval, open to the left when
    None.
    """

    ours_at: datetime | None = None
    theirs_from: datetime | None = None
    theirs_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What the decision needs of a rule. `wire_type` is the described type of their field: under it
    "10" and "10.0" are one number; without it only equal texts are equal. Of a `phone` two
    spellings of one number are one value.
    """

    rule_id: str
    direction: Direction
    policy: Policy
    first_agreement: FirstAgreement
    required: bool
    rewrite: Rewrite | None = None
    wire_type: str = ""
    phone: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """What both sides hold: `ours` canonical, `theirs` as on the wire, and what is known of the
    past.

    `chosen` is a person's decision about this rule on the plan; it counts only where there is no
    base. `country` is where our record is, for phone numbers written without their country.
    """

    ours: Json | Absent
    theirs: Json | Absent
    base: Base | None = None
    declined: tuple[Declined, ...] = ()
    times: Times = Times()
    primary: Primary = Primary.NEITHER
    chosen: FirstAgreement | None = None
    country: str = ""


@dataclass(frozen=True, slots=True)
class FieldDecision:
    """What to do about one field, and what the caller stores.

    NOTHING: nothing. AGREE: both bases as the sides stand. TAKE: `ours_after` into our record;
    bases are `ours_after` and their value as read. SEND: `theirs_after` to the CRM; after it
    answered, `base_ours` is our value and `base_theirs` what the CRM returned, never what was sent.
    CONFLICT, ASK: no bases; both keep their value. REFUSE: no bases; `error` says why, so the field
    is looked at again next time. `settled` marks a collision that was decided without a person: a
    conflict row keeps `losing`.
    """

    verdict: Verdict
    reason: Reason
    ours_after: Json | Absent = ABSENT
    theirs_after: Json | Absent = ABSENT
    settled: bool = False
    losing: Json | Absent = ABSENT
    error: str = ""


def hash_of(value: Json | Absent) -> str:
    """Return a short fingerprint of a value; blanks share one, and so do two orders of an object's
    keys.
    """
    plain = None if isinstance(value, Absent) or is_blank(value) else value
    return sha256(json.dumps(plain, sort_keys=True, default=list).encode()).hexdigest()[:32]


def inputs_json(facts: RuleFacts, inputs: Inputs) -> dict[str, Json]:
    """Return everything a decision was made of as JSON, kept with its operation; `from_json` reads
    it back.
    """
    base, times = inputs.base, inputs.times
    return {
        "rule": {
            "id": facts.rule_id,
            "direction": facts.direction.value,
            "policy": facts.policy.value,
            "first_agreement": facts.first_agreement.value,
            "required": facts.required,
            "rewrite": facts.rewrite.value if facts.rewrite else None,
            "wire_type": facts.wire_type,
            "phone": facts.phone,
        },
        "ours": _wrapped(inputs.ours),
        "theirs": _wrapped(inputs.theirs),
        "base": None
        if base is None
        else {"ours": _wrapped(base.ours), "theirs": _wrapped(base.theirs)},
        "declined": [[one.side.value, one.value_hash] for one in inputs.declined],
        "times": [_stamp(times.ours_at), _stamp(times.theirs_from), _stamp(times.theirs_to)],
        "primary": inputs.primary.value,
        "chosen": inputs.chosen.value if inputs.chosen else None,
        "country": inputs.country,
    }


def from_json(stored: Mapping[str, Json]) -> tuple[RuleFacts, Inputs]:
    """Return the facts and inputs that `inputs_json` wrote, so that the decision can be made
    again.
    """
    rule, base, times = _object(stored["rule"]), stored["base"], _list(stored["times"])
    facts = RuleFacts(
        rule_id=str(rule["id"]),
        direction=Direction(str(rule["direction"])),
        policy=Policy(str(rule["policy"])),
        first_agreement=FirstAgreement(str(rule["first_agreement"])),
        required=rule["required"] is True,
        rewrite=Rewrite(str(rule["rewrite"])) if rule["rewrite"] else None,
        wire_type=str(rule["wire_type"]),
        phone=rule.get("phone") is True,
    )
    declined = [_list(one) for one in _list(stored["declined"])]
    chosen = stored["chosen"]
    return facts, Inputs(
        ours=_unwrapped(stored["ours"]),
        theirs=_unwrapped(stored["theirs"]),
        base=None if base is None else _base(_object(base)),
        declined=tuple(Declined(Side(str(side)), str(value)) for side, value in declined),
        times=Times(*(_moment(one) for one in times)),
        primary=Primary(str(stored["primary"])),
        chosen=FirstAgreement(str(chosen)) if chosen else None,
        country=str(stored.get("country") or ""),
    )


def _base(stored: Mapping[str, Json]) -> Base:
    return Base(ours=_unwrapped(stored["ours"]), theirs=_unwrapped(stored["theirs"]))


def _wrapped(value: Json | Absent) -> Json:
    return [] if isinstance(value, Absent) else [value]


def _unwrapped(stored: Json) -> Json | Absent:
    held = _list(stored)
    return held[0] if held else ABSENT


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(stored: Json) -> datetime | None:
    return datetime.fromisoformat(stored) if isinstance(stored, str) else None


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise TypeError("Stored inputs of a decision hold an object here.")
    return value


def _list(value: Json) -> Sequence[Json]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError("Stored inputs of a decision hold a list here.")
    return value
