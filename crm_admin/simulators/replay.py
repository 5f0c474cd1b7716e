"""Doing again what a journal says was done."""

from crm_admin.simulators.definitions import definition_from_json
from crm_admin.simulators.journal import forget
from crm_admin.simulators.ledger import Ledger
from crm_admin.simulators.links import End
from crm_admin.simulators.row import Row
from crm_admin.simulators.truth import By, Entry, Op
from crm_admin.simulators.wire import as_int, as_map, as_text


def replay(ledger: Ledger, action: str, arguments: list[object]) -> None:
    """The ledger is as after the journaled effect, which is not journaled again."""
    effect, ledger.effect = ledger.effect, forget
    try:
        REPLAYS[action](ledger, arguments)
    finally:
        ledger.effect = effect


def _replay_put(ledger: Ledger, stored: list[object]) -> None:
    name, row_id, props, created, updated, archived = stored
    kept = {key: as_text(value) for key, value in as_map(props).items()}
    at = None if archived is None else as_int(archived)
    row = Row(as_int(row_id), kept, as_int(created), as_int(updated), at)
    ledger.place(ledger.table(as_text(name)), row, at_once=True)


def _replay_drop(ledger: Ledger, stored: list[object]) -> None:
    ledger.drop(ledger.table(as_text(stored[0])), as_int(stored[1]))


def _replay_alias(ledger: Ledger, stored: list[object]) -> None:
    ledger.alias(ledger.table(as_text(stored[0])), as_int(stored[1]), as_int(stored[2]))


def _replay_link(ledger: Ledger, stored: list[object]) -> None:
    near, far, there, back, stamp = stored
    types = (_type_set(there), _type_set(back))
    ledger.set_link(_end(near), _end(far), types, as_int(stamp), at_once=True)


def _replay_define(ledger: Ledger, stored: list[object]) -> None:
    definition = definition_from_json(as_map(stored[1]))
    ledger.table(as_text(stored[0])).define(definition)


def _replay_note(ledger: Ledger, stored: list[object]) -> None:
    at, name, subject, op, by, old, new = stored
    n = len(ledger.log.entries) + 1
    kinds = (Op(as_text(op)), By(as_text(by)))
    states = (as_map(old), as_map(new))
    ledger.log.entries.append(
        Entry(n, as_int(at), as_text(name), as_text(subject), *kinds, *states)
    )


def _end(stored: object) -> End:
    pair = stored if isinstance(stored, list) else ["", 0]
    return as_text(pair[0]), as_int(pair[1])


def _type_set(stored: object) -> frozenset[int]:
    return frozenset(as_int(each) for each in stored) if isinstance(stored, list) else frozenset()


REPLAYS = {
    "put": _replay_put,
    "drop": _replay_drop,
    "alias": _replay_alias,
    "link": _replay_link,
    "define": _replay_define,
    "note": _replay_note,
}
