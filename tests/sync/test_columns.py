"""Many records translated at once become what each would become alone."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import compile_rules
from crm_admin.mapping.rules import Direction, FieldRule, Step
from crm_admin.packs.crm import CONTACT
from crm_admin.packs.crm_hubspot import CONTACTS
from crm_admin.providers.base import RemoteRecord
from crm_admin.sync.columns import translate_all
from crm_admin.sync.decide import decide
from crm_admin.sync.drafts import Pair, RuleUse, StreamFacts
from crm_admin.sync.merge import RuleFacts
from crm_admin.sync.newcomers import Newcomer, becomes_record, translate
from crm_admin.sync.states import Creates, StreamDirection

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = [rule.theirs for rule in CONTACTS.rules if not rule.association]
WIRE = st.one_of(
    st.sampled_from(["", " ", "Ann", "ann@example.test", "+44 20 7946 0958", "call me", "lead"]),
    st.none(),
    st.booleans(),
    st.integers(-1, 2),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.sampled_from(["a", "b"]), max_size=2),
)
RECORDS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(NAMES), WIRE),
        st.one_of(st.none(), st.lists(st.sampled_from(["7", "8"]), max_size=2)),
    ),
    max_size=12,
)
RULES = st.lists(
    st.tuples(
        st.sampled_from(CONTACTS.rules),
        st.booleans(),
        st.sampled_from([None, "", "lead"]),
        st.sampled_from(list(Direction)),
        st.sampled_from([(), (Step("trim"),), (Step("upper"),)]),
    ),
    max_size=8,
    unique_by=lambda one: one[0].id,
)


def use(rule: FieldRule) -> RuleUse:
    (compiled,) = compile_rules([rule], CONTACT, {}).rules
    facts = RuleFacts(rule.id, rule.direction, "newest_wins", "ask", rule.required)  # type: ignore[arg-type]
    return RuleUse(rule, facts, compiled.from_crm, compiled.to_crm)


def record(number: int, properties: dict[str, Json], linked: list[str] | None) -> RemoteRecord:
    associations = {} if linked is None else {"companies": tuple(linked)}
    return RemoteRecord(str(number), properties, AT, associations=associations)


def as_told(made: Newcomer) -> tuple[object, ...]:
    """Types count too: 1 is not True."""
    held = repr((made.data, made.targets, made.base_ours, made.base_theirs))
    return held, [(use.rule.id, text) for use, text in made.failures]


@settings(deadline=None)
@given(RECORDS, RULES)
def test_together_is_as_alone(
    given_records: list[tuple[dict[str, Json], list[str] | None]],
    given_rules: list[tuple[FieldRule, bool, Json, Direction, tuple[Step, ...]]],
) -> None:
    records = [record(n, *one) for n, one in enumerate(given_records)]
    rules = tuple(
        use(
            replace(
                rule,
                required=required,
                default=default,
                direction=direction,
                steps=() if rule.association else steps,
            )
        )
        for rule, required, default, direction, steps in given_rules
    )

    together = translate_all(records, rules)

    assert [as_told(one) for one in together] == [as_told(translate(r, rules)) for r in records]


@settings(deadline=None)
@given(RECORDS, st.booleans(), st.sampled_from(list(Creates)), st.sampled_from(["both", "to_crm"]))
def test_what_is_kept_apart_is_what_a_decision_would_create(
    given_records: list[tuple[dict[str, Json], list[str] | None]],
    required: bool,
    creates: Creates,
    direction: str,
) -> None:
    rules = tuple(
        use(replace(rule, required=required and rule.id == "email")) for rule in CONTACTS.rules
    )
    way = StreamDirection(direction)
    stream = StreamFacts(None, "contacts", CONTACT, way, creates, 1, rules)  # type: ignore[arg-type]
    records = [record(n, *one) for n, one in enumerate(given_records)]

    apart = [becomes_record(stream, made) for made in translate_all(records, rules)]

    assert apart == [decide(Pair(None, one), stream).creates_ours for one in records]
