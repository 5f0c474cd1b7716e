"""What one account of a simulated CRM holds, and the single effects that change it, each logged and
kept.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace

from crm_admin.simulators.clock import Clock
from crm_admin.simulators.definitions import Definition, definition_to_json
from crm_admin.simulators.journal import Effect, forget
from crm_admin.simulators.links import End, Links
from crm_admin.simulators.row import Row
from crm_admin.simulators.rows import Table
from crm_admin.simulators.truth import NOTHING, By, Entry, Op, TruthLog

States = tuple[Mapping[str, object], Mapping[str, object]]
Types = tuple[frozenset[int], frozenset[int]]
NO_TYPES: Types = (frozenset(), frozenset())


class Ledger:
    """Callers hold `lock`; `effect` is told what `replay` needs to do it again."""

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
        self.link_stamps = True
        self.effect = effect

    def table(self, object_name: str) -> Table:
        return self.tables[object_name]

    def search_ready(self, object_name: str) -> Table:
        """The table, its index brought up to what a search may see now."""
        table = self.table(object_name)
        table.index.catch_up(time.monotonic())
        return table

    def set_index_lag(self, seconds: float) -> None:
        """From now on search lags so much, also behind what it has not seen yet."""
        self.index_lag = seconds
        for table in self.tables.values():
            table.index.hurry(time.monotonic() + seconds)

    def put(self, table: Table, row: Row, op: Op, by: By, states: States) -> None:
        self.keep(table, row, at_once=by is By.SEED)
        self.log_entry(table.name, row.id, op, by, states)

    def keep(self, table: Table, row: Row, *, at_once: bool) -> None:
        self.place(table, row, at_once=at_once)
        stored = [table.name, row.id, row.props, row.created, row.updated, row.archived]
        self.effect("put", stored)

    def place(self, table: Table, row: Row, *, at_once: bool) -> None:
        table.store(row)
        seen = row if row.archived is None else None
        if at_once:
            table.index.note_now(row.id, seen)
        else:
            table.index.note(row.id, seen, time.monotonic() + self.index_lag)

    def drop(self, table: Table, row_id: int) -> None:
        table.remove(row_id)
        table.index.note(row_id, None, time.monotonic() + self.index_lag)
        self.effect("drop", [table.name, row_id])

    def alias(self, table: Table, old: int, new: int) -> None:
        table.aliases[old] = new
        self.effect("alias", [table.name, old, new])

    def set_link(self, near: End, far: End, types: Types, stamp: int, *, at_once: bool) -> None:
        self.links.set(near, far, types[0])
        self.links.set(far, near, types[1])
        for end in (near, far):
            row = self.table(end[0]).rows.get(end[1]) if self.link_stamps else None
            if row is not None:
                touched = replace(row, updated=stamp, shape=None)
                self.place(self.table(end[0]), touched, at_once=at_once)
        stored = [[*near], [*far], sorted(types[0]), sorted(types[1]), stamp]
        self.effect("link", stored)

    def move_links(self, old: End, new: End, found: list[tuple[End, frozenset[int]]]) -> None:
        for far, types in found:
            back = self.links.types(far, old)
            self.set_link(old, far, NO_TYPES, self.clock.stamp(), at_once=False)
            together = (types | self.links.types(new, far), back | self.links.types(far, new))
            self.set_link(new, far, together, self.clock.stamp(), at_once=False)

    def set_definition(self, table: Table, definition: Definition, by: By) -> None:
        former = table.define(definition)
        new = definition_to_json(definition)
        self.effect("define", [table.name, new])
        old = NOTHING if former is None else definition_to_json(former)
        self.log_entry(table.name, definition.name, Op.PROPERTY, by, (old, new))

    def log_entry(
        self, object_name: str, subject: int | str, op: Op, by: By, states: States
    ) -> None:
        n = len(self.log.entries) + 1
        at = self.clock.latest()
        self.log.entries.append(Entry(n, at, object_name, str(subject), op, by, *states))
        self.effect("note", [at, object_name, str(subject), op, by, *states])
