"""The records of one account at a simulated CRM: the only place that changes them, and it logs every change."""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from crm_admin.simulators.clock import Clock
from crm_admin.simulators.definitions import Definition, definition_from_json, definition_to_json
from crm_admin.simulators.journal import Effect, forget
from crm_admin.simulators.links import End, Links
from crm_admin.simulators.rows import NotThere, Row, Table
from crm_admin.simulators.truth import NOTHING, By, Entry, Op, TruthLog
from crm_admin.simulators.wire import as_int, as_map, as_text

States = tuple[Mapping[str, object], Mapping[str, object]]
Types = tuple[frozenset[int], frozenset[int]]
NO_TYPES: Types = (frozenset(), frozenset())
LIVING: Mapping[str, object] = {"archived": "false"}
ARCHIVED: Mapping[str, object] = {"archived": "true"}


class Portal:
    """Callers hold `lock` over what must be seen together; each method is whole by itself."""

    def __init__(
        self, number: int, tables: dict[str, Table], clock: Clock, effect: Effect = forget
    ) -> None:
        self.number = number
        self.tables = tables
        self.clock = clock
        self.links = Links()
        self.log = TruthLog()
        self.lock = threading.RLock()
        self.index_lag = 0.5
        self._effect = effect
        self._replaying = False

    def table(self, object_name: str) -> Table:
        return self.tables[object_name]

    def create(self, object_name: str, props: Mapping[str, str], *, by: By) -> Row:
        with self.lock:
            table = self.table(object_name)
            table.check_free(props, None)
            stamp = self.clock.stamp()
            row = Row(table.next_id(), props, stamp, stamp)
            self._put(table, row, Op.CREATE, by, (NOTHING, props))
            return row

    def install(self, object_name: str, rows: Iterable[tuple[Mapping[str, str], int]]) -> list[int]:
        """Records that were always there: found by search at once, created at the given stamps (0 is now)."""
        with self.lock:
            table = self.table(object_name)
            made = []
            for props, created in rows:
                table.check_free(props, None)
                stamp = self.clock.shared_stamp()
                row = Row(table.next_id(), props, created or stamp, stamp)
                self._put(table, row, Op.CREATE, By.SEED, (NOTHING, props))
                made.append(row.id)
            return made

    def update(self, object_name: str, row_id: int, changes: Mapping[str, str], *, by: By) -> Row:
        """The record has these values, "" being none; a write that changes nothing is logged and stamped too."""
        with self.lock:
            table = self.table(object_name)
            row = table.living_row(row_id)
            props = {name: value for name, value in {**row.props, **changes}.items() if value}
            table.check_free(props, row.id)
            new = Row(row.id, props, row.created, self.clock.stamp())
            self._put(table, new, Op.UPDATE, by, (row.props, props))
            return new

    def derive(self, object_name: str, row_id: int, changes: Mapping[str, str]) -> None:
        """The record has these values because something else changed; that is no change of its own."""
        with self.lock:
            table = self.table(object_name)
            row = table.rows.get(row_id)
            props = {} if row is None else {**row.props, **changes}
            props = {name: value for name, value in props.items() if value}
            if row is not None and props != row.props:
                self._keep(table, replace(row, props=props, shape=None), at_once=False)

    def archive(self, object_name: str, row_id: int, *, by: By) -> None:
        with self.lock:
            table = self.table(object_name)
            row = table.living_row(row_id)
            stamp = self.clock.stamp()
            new = replace(row, updated=stamp, archived=stamp, shape=None)
            self._put(table, new, Op.ARCHIVE, by, (LIVING, ARCHIVED))

    def restore(self, object_name: str, row_id: int, *, by: By) -> Row:
        with self.lock:
            table = self.table(object_name)
            row = table.find(row_id)
            if row is None or row.archived is None:
                raise NotThere(row_id)
            table.check_free(row.props, row.id)
            new = replace(row, updated=self.clock.stamp(), archived=None, shape=None)
            self._put(table, new, Op.RESTORE, by, (ARCHIVED, LIVING))
            return new

    def erase(self, object_name: str, row_id: int, *, by: By) -> None:
        """Nothing of the record is left, not even among the archived ones."""
        with self.lock:
            table = self.table(object_name)
            row = table.find(row_id)
            if row is None:
                raise NotThere(row_id)
            self.clock.stamp()
            self._drop(table, row.id)
            self._note(object_name, row.id, Op.ARCHIVE, by, (row.props, {"erased": "true"}))

    def merge(
        self,
        object_name: str,
        pair: tuple[int, int],
        props: Mapping[str, str],
        *,
        new_id: bool,
        by: By,
    ) -> Row:
        """One record with these values is left, under a third id or the first one's; the other ids lead to it."""
        with self.lock:
            table = self.table(object_name)
            keep, absorb = (table.living_row(row_id) for row_id in pair)
            into = table.next_id() if new_id else keep.id
            merged = Row(into, props, keep.created, self.clock.stamp())
            gone = [row for row in (keep, absorb) if row.id != into]
            ends = {row.id: list(self.links.all_of((object_name, row.id))) for row in gone}
            for row in gone:
                self._drop(table, row.id)
                self._alias(table, row.id, into)
                states: States = (NOTHING, {"merged_into": str(into)})
                self._note(object_name, row.id, Op.MERGE, by, states)
            self._put(table, merged, Op.MERGE, by, (keep.props, props))
            for old_id, found in ends.items():
                self._move_links((object_name, old_id), (object_name, into), found)
            return table.living_row(into)

    def link(self, near: End, far: End, types: Types, *, by: By) -> None:
        """The two records are associated by exactly these types, seen from near and from far; none is no link."""
        with self.lock:
            before = self.links.types(near, far)
            if before == types[0]:
                return
            stamp = self.clock.stamp()
            self._link(near, far, types, stamp, at_once=by is By.SEED)
            field = f"{far[0]}/{far[1]}"
            states: States = ({field: sorted(before)}, {field: sorted(types[0])})
            op = Op.ASSOCIATE if types[0] - before else Op.DISASSOCIATE
            self._note(near[0], near[1], op, by, states)

    def define(self, object_name: str, definition: Definition, *, by: By) -> None:
        with self.lock:
            self.clock.stamp()
            self._define(self.table(object_name), definition, by)

    def search_ready(self, object_name: str) -> Table:
        """The table, its index brought up to what a search may see now."""
        table = self.table(object_name)
        table.index.catch_up(time.monotonic())
        return table

    def replay(self, action: str, arguments: list[object]) -> None:
        """Does again what a journal line says was done."""
        self._replaying = True
        try:
            REPLAYS[action](self, arguments)
        finally:
            self._replaying = False

    def _journal(self, action: str, arguments: list[object]) -> None:
        if not self._replaying:
            self._effect(action, arguments)

    def _put(self, table: Table, row: Row, op: Op, by: By, states: States) -> None:
        self._keep(table, row, at_once=by is By.SEED)
        self._note(table.name, row.id, op, by, states)

    def _keep(self, table: Table, row: Row, *, at_once: bool) -> None:
        self._place(table, row, at_once=at_once)
        stored = [table.name, row.id, row.props, row.created, row.updated, row.archived]
        self._journal("put", stored)

    def _place(self, table: Table, row: Row, *, at_once: bool) -> None:
        table.store(row)
        seen = row if row.archived is None else None
        if at_once:
            table.index.put(row.id, seen)
        else:
            table.index.note(row.id, seen, time.monotonic() + self.index_lag)

    def _drop(self, table: Table, row_id: int) -> None:
        table.remove(row_id)
        table.index.note(row_id, None, time.monotonic() + self.index_lag)
        self._journal("drop", [table.name, row_id])

    def _alias(self, table: Table, old: int, new: int) -> None:
        table.aliases[old] = new
        self._journal("alias", [table.name, old, new])

    def _link(self, near: End, far: End, types: Types, stamp: int, *, at_once: bool) -> None:
        self.links.set(near, far, types[0])
        self.links.set(far, near, types[1])
        for end in (near, far):
            row = self.table(end[0]).rows.get(end[1])
            if row is not None:
                touched = replace(row, updated=stamp, shape=None)
                self._place(self.table(end[0]), touched, at_once=at_once)
        stored = [[*near], [*far], sorted(types[0]), sorted(types[1]), stamp]
        self._journal("link", stored)

    def _move_links(self, old: End, new: End, found: list[tuple[End, frozenset[int]]]) -> None:
        for far, types in found:
            back = self.links.types(far, old)
            self._link(old, far, NO_TYPES, self.clock.stamp(), at_once=False)
            together = (types | self.links.types(new, far), back | self.links.types(far, new))
            self._link(new, far, together, self.clock.stamp(), at_once=False)

    def _define(self, table: Table, definition: Definition, by: By) -> None:
        former = table.define(definition)
        new = definition_to_json(definition)
        self._journal("define", [table.name, new])
        old = NOTHING if former is None else definition_to_json(former)
        self._note(table.name, definition.name, Op.PROPERTY, by, (old, new))

    def _note(self, object_name: str, subject: int | str, op: Op, by: By, states: States) -> None:
        n = len(self.log.entries) + 1
        at = self.clock.latest()
        self.log.entries.append(Entry(n, at, object_name, str(subject), op, by, *states))
        self._journal("note", [at, object_name, str(subject), op, by, *states])


def _replay_put(portal: Portal, stored: list[object]) -> None:
    name, row_id, props, created, updated, archived = stored
    kept = {key: as_text(value) for key, value in as_map(props).items()}
    at = None if archived is None else as_int(archived)
    row = Row(as_int(row_id), kept, as_int(created), as_int(updated), at)
    portal._place(portal.table(as_text(name)), row, at_once=True)


def _replay_drop(portal: Portal, stored: list[object]) -> None:
    portal._drop(portal.table(as_text(stored[0])), as_int(stored[1]))


def _replay_alias(portal: Portal, stored: list[object]) -> None:
    portal._alias(portal.table(as_text(stored[0])), as_int(stored[1]), as_int(stored[2]))


def _replay_link(portal: Portal, stored: list[object]) -> None:
    near, far, there, back, stamp = stored
    types = (_type_set(there), _type_set(back))
    portal._link(_end(near), _end(far), types, as_int(stamp), at_once=True)


def _replay_define(portal: Portal, stored: list[object]) -> None:
    definition = definition_from_json(as_map(stored[1]))
    portal.table(as_text(stored[0])).define(definition)


def _replay_note(portal: Portal, stored: list[object]) -> None:
    at, name, subject, op, by, old, new = stored
    n = len(portal.log.entries) + 1
    kinds = (Op(as_text(op)), By(as_text(by)))
    states = (as_map(old), as_map(new))
    portal.log.entries.append(
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
