"""What a person at HubSpot's own pages does, and how whole data sets are put in place."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from crm_admin.simulators.crm import Refusal
from crm_admin.simulators.definitions import Definition
from crm_admin.simulators.hubspot.account import Account
from crm_admin.simulators.hubspot.association_types import PLAIN, PRIMARY
from crm_admin.simulators.hubspot.errors import ApiError
from crm_admin.simulators.hubspot.linking import remove_types, set_types
from crm_admin.simulators.hubspot.merging import merge_rows
from crm_admin.simulators.hubspot.properties import patched
from crm_admin.simulators.hubspot.schema import object_of
from crm_admin.simulators.hubspot.values import check_properties, epoch_ms, needed_to_create
from crm_admin.simulators.links import End
from crm_admin.simulators.people import Maker
from crm_admin.simulators.row import Row
from crm_admin.simulators.store import Portal
from crm_admin.simulators.truth import By
from crm_admin.simulators.wire import as_int, as_list, as_map, as_text


def save(
    account: Account, object_name: str, row_id: int | None, changes: Mapping[str, object], by: By
) -> Row:
    """The record has these values, under the same rules as through the programming interface."""
    portal = account.portal
    table = portal.table(object_name)
    former = {} if row_id is None else table.living_row(row_id).props
    try:
        props = check_properties(table, changes, former, account.rules())
        refused = needed_to_create(object_name, props) if row_id is None else None
    except ApiError as error:
        refused = error
    if refused is not None:
        raise Refusal(
            "; ".join(as_text(each.get("message")) for each in refused.errors) or refused.message
        )
    if row_id is not None:
        return portal.update(object_name, row_id, props, by=by)
    props = {name: value for name, value in props.items() if value}
    if object_name == "deals":
        props.setdefault("pipeline", "default")
    return portal.create(object_name, props, by=by)


def merge(account: Account, object_name: str, pair: tuple[int, int], by: By) -> Row:
    """A person merged two records."""
    table = account.portal.table(object_name)
    keep, absorb = (table.living_row(row_id) for row_id in pair)
    if keep.id == absorb.id:
        raise Refusal("a record cannot be merged with itself")
    return merge_rows(account, object_name, (keep, absorb), by)


def associate(portal: Portal, near: End, far: End, *, add: bool, primary: bool) -> None:
    """A person put two records together, or took them apart."""
    for name, row_id in (near, far):
        portal.table(name).living_row(row_id)
    pair = (near[0], far[0])
    if pair not in PLAIN:
        raise Refusal(f"{near[0]} and {far[0]} cannot be associated")
    if not add:
        remove_types(portal, near, far, None, By.PAGE)
        return
    types = {PLAIN[pair]} | ({PRIMARY[pair]} if primary and pair in PRIMARY else set())
    set_types(portal, near, far, frozenset(types), By.PAGE)


def load(portal: Portal, data: Mapping[str, object]) -> dict[str, list[str]]:
    """The records are there, unchecked, as if they always had been; answers their ids in order.

    Refused are taken unique values and unknown targets; what came before them stays.
    An item holds `properties`, perhaps `createdAt`, and `associations`: by object a list of ids,
    or of `object#n`, the n-th item (from 0) of that object in the same call.
    """
    given = {
        _object(name): [as_map(item) for item in as_list(items)] for name, items in data.items()
    }
    made = {name: portal.install(name, map(_item, items)) for name, items in given.items()}
    for name, items in given.items():
        for row_id, item in zip(made[name], items, strict=True):
            _associate(portal, (name, row_id), as_map(item.get("associations")), made)
    return {name: [str(row_id) for row_id in ids] for name, ids in made.items()}


def seed(portal: Portal, asked: Mapping[str, object]) -> dict[str, int]:
    """So many invented records of each object are there; the same seed in an empty account makes
    the same ones.
    """
    maker = Maker(as_int(asked.get("seed"), 1))
    made: dict[str, list[int]] = {}
    for name in ("companies", "contacts", "deals"):
        first = portal.table(name).next_id()
        count = as_int(asked.get(name))
        made[name] = portal.install(name, maker.make(name, first, count)) if count > 0 else []
    _associate_seed(portal, maker, made)
    return {name: len(ids) for name, ids in made.items()}


def define(portal: Portal, given: Mapping[str, object]) -> None:
    """The property is as described, made where it was missing, whatever HubSpot itself would have
    allowed.
    """
    object_name = _object(as_text(given.get("object")))
    name = as_text(given.get("name"))
    table = portal.table(object_name)
    former = table.definitions.get(name) or Definition(name, name, custom=True)
    archived = given.get("archived", former.archived) is True
    unique = given.get("hasUniqueValue", former.unique) is True
    try:
        changed = replace(patched(former, given), archived=archived, unique=unique)
    except ApiError as error:
        raise Refusal(error.message) from error
    portal.define(object_name, changed, by=By.PAGE)


def _object(text: str) -> str:
    name = object_of(text)
    if name is None:
        raise Refusal(f"unknown object: {text}")
    return name


def _item(item: Mapping[str, object]) -> tuple[dict[str, str], int]:
    props = {name: as_text(value) for name, value in as_map(item.get("properties")).items()}
    created = epoch_ms(as_text(item.get("createdAt"))) or 0
    return {name: value for name, value in props.items() if value}, created


def _associate(
    portal: Portal,
    near: tuple[str, int],
    wanted: Mapping[str, object],
    made: Mapping[str, list[int]],
) -> None:
    """Links to each object's records; the first company becomes the primary one."""
    for name, targets in wanted.items():
        far_object = _object(name)
        for position, far_id in enumerate(_targets(far_object, as_list(targets), made)):
            portal.table(far_object).living_row(far_id)
            pair = (near[0], far_object)
            if pair not in PLAIN:
                raise Refusal(f"{near[0]} and {far_object} cannot be associated")
            types = {PLAIN[pair]}
            if position == 0 and far_object == "companies" and pair in PRIMARY:
                types.add(PRIMARY[pair])
            set_types(portal, near, (far_object, far_id), frozenset(types), By.SEED)


def _targets(name: str, targets: list[object], made: Mapping[str, list[int]]) -> Iterator[int]:
    for target in targets:
        text = as_text(target)
        if not text.startswith(f"{name}#"):
            yield as_int(target, -1)
            continue
        position = as_int(text.partition("#")[2], -1)
        if not 0 <= position < len(made.get(name, ())):
            raise Refusal(f"this call loads no {text}")
        yield made[name][position]


def _associate_seed(portal: Portal, maker: Maker, made: Mapping[str, list[int]]) -> None:
    for name, far_object in (
        ("contacts", "companies"),
        ("deals", "companies"),
        ("deals", "contacts"),
    ):
        for row_id, far_id in maker.pairs(made[name], made[far_object]):
            wanted = {far_object: [far_id]}
            _associate(portal, (name, row_id), wanted, made)
