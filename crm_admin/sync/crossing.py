"""How one rule sees a pair: its value on either side, and what else a decision looks at."""

from datetime import datetime, timedelta

from crm_admin.jsontypes import Json
from crm_admin.providers.base import RemoteRecord
from crm_admin.records.values import ABSENT, Absent
from crm_admin.sync.drafts import PARKED, Pair, References, RuleUse, StreamFacts
from crm_admin.sync.merge import Base, Declined, Inputs, Primary, Times, Waiting


def wire_value(use: RuleUse, theirs: RemoteRecord, agreed: Json = None) -> Json | Absent:
    """Return what the CRM holds for a rule; ABSENT when it was not asked for or not returned.

    A reference of ours has one target and theirs may have many: the `agreed` one stands for as long
    as it is among them, unless the CRM itself calls another one the primary.
    """
    other = use.rule.association
    if not other:
        return theirs.properties.get(use.rule.theirs, ABSENT)
    if other not in theirs.associations:
        return ABSENT
    ids = theirs.associations[other]
    if agreed in ids and other not in theirs.primaries:
        return agreed
    return ids[0] if ids else None


def ours_of(use: RuleUse, wire: Json, references: References) -> Json:
    """Return what a value of theirs is here: a reference becomes our record's id, or stays
    parked.
    """
    other = use.rule.association
    if not other:
        return use.from_crm(wire)
    if wire is None or wire == "":
        return None
    return references.record_of.get((other, str(wire))) or f"{PARKED}{wire}"


def theirs_of(use: RuleUse, value: Json, references: References) -> Json:
    """Return what a value of ours is there; Waiting while a reference's target is not there yet."""
    other = use.rule.association
    if not other:
        return use.to_crm(value)
    if value is None:
        return None
    text = str(value)
    if text.startswith(PARKED):
        return text.removeprefix(PARKED)
    remote_id = references.remote_of.get((other, text))
    if remote_id is None:
        raise Waiting
    return remote_id


def our_value(pair: Pair, use: RuleUse) -> Json:
    """Return what our record holds for a rule."""
    if use.rule.association:
        return pair.here.references.get(use.rule.ours)
    return pair.here.data.get(use.rule.ours)


def inputs_of(pair: Pair, stream: StreamFacts, use: RuleUse) -> Inputs | None:
    """Return everything the merge looks at for a rule; None when theirs was not read."""
    link, rule_id = pair.link, use.rule.id
    theirs = wire_value(use, pair.there, link.base_theirs.get(rule_id) if link else None)
    if isinstance(theirs, Absent):
        return None
    base = None
    declined: tuple[Declined, ...] = ()
    if link is not None:
        if rule_id in link.base_ours and rule_id in link.base_theirs:
            base = Base(ours=link.base_ours[rule_id], theirs=link.base_theirs[rule_id])
        found = link.declined.get(rule_id)
        declined = (found,) if found is not None else ()
    return Inputs(
        ours=our_value(pair, use),
        theirs=theirs,
        base=base,
        declined=declined,
        times=_times(pair, use),
        primary=_primary(pair, stream, use),
        chosen=stream.decisions.get(rule_id),
        country=str(pair.here.data.get("country") or "") if use.facts.phone else "",
    )


def _primary(pair: Pair, stream: StreamFacts, use: RuleUse) -> Primary:
    if stream.primary:
        return Primary.THEIRS_IS
    came_from = pair.here.origin.get(use.rule.ours, {}).get("connection")
    return (
        Primary.OURS_CAME_FROM
        if came_from and came_from == stream.primary_connection
        else Primary.NEITHER
    )


def _times(pair: Pair, use: RuleUse) -> Times:
    """Our stamp is the field's own; theirs lies between our last read of the record and its
    modified stamp.
    """
    stamp = pair.here.origin.get(use.rule.ours, {}).get("at")
    ours_at = datetime.fromisoformat(str(stamp)) if stamp else pair.here.created_at
    offset = timedelta(seconds=pair.theirs_clock_offset)
    until = pair.there.updated_at - offset if pair.there.updated_at else None
    link = pair.link
    # An open conflict was there at our last look already, so that look bounds nothing.
    known = link is not None and use.rule.id not in link.conflicts
    # A write of ours moved their stamp, but showed us nothing of what they edited before it.
    seen = (link.remote_read_at or link.remote_updated_at) if link is not None and known else None
    since = seen - offset if seen else None
    return Times(ours_at=ours_at, theirs_from=since, theirs_to=until)
