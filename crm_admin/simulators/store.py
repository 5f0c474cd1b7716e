"""What may be done with the records of one account: the only place that changes them, whole steps
only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from crm_admin.simulators.definitions import Definition
from crm_admin.simulators.ledger import Ledger, States, Types
from crm_admin.simulators.links import End
from crm_admin.simulators.row import Row
from crm_admin.simulators.rows import NotThere
from crm_admin.simulators.truth import NOTHING, By, Op

LIVING: Mapping[str, object] = {"archived": "false"}
ARCHIVED: Mapping[str, object] = {"archived": "true"}


class Portal(Ledger):
    """Each method is whole by itself; callers hold `lock` over what must be seen together."""

    def create(self, object_name: str, props: Mapping[str, str], *, by: By) -> Row:
        with self.lock:
            table = self.table(object_name)
            table.check_free(props, None)
            stamp = self.clock.stamp()
            row = Row(table.next_id(), props, stamp, stamp)
            self.put(table, row, Op.CREATE, by, (NOTHING, props))
            return row

    def install(self, object_name: str, rows: Iterable[tuple[Mapping[str, str], int]]) -> list[int]:
        """Records that were always there: found by search at once, created at the given stamps (0
        is now).
        """
        with self.lock:
            table = self.table(object_name)
            made = []
            for props, created in rows:
                table.check_free(props, None)
                stamp = self.clock.shared_stamp()
                row = Row(table.next_id(), props, created or stamp, stamp)
                self.put(table, row, Op.CREATE, By.SEED, (NOTHING, props))
                made.append(row.id)
            return made

    def update(self, object_name: str, row_id: int, changes: Mapping[str, str], *, by: By) -> Row:
        """The record has these values, "" being none; a write that changes nothing is logged and
        stamped too.
        """
        with self.lock:
            table = self.table(object_name)
            row = table.living_row(row_id)
            props = {name: value for name, value in {**row.props, **changes}.items() if value}
            table.check_free(props, row.id)
            new = Row(row.id, props, row.created, self.clock.stamp())
            self.put(table, new, Op.UPDATE, by, (row.props, props))
            return new

    def derive(self, object_name: str, row_id: int, changes: Mapping[str, str], *, by: By) -> None:
        """The record has these values because something else changed; that is not logged."""
        with self.lock:
            table = self.table(object_name)
            row = table.rows.get(row_id)
            props = {} if row is None else {**row.props, **changes}
            props = {name: value for name, value in props.items() if value}
            if row is not None and props != row.props:
                new = replace(row, props=props, shape=None)
                self.keep(table, new, at_once=by is By.SEED)

    def archive(self, object_name: str, row_id: int, *, by: By) -> None:
        with self.lock:
            table = self.table(object_name)
            row = table.living_row(row_id)
            stamp = self.clock.stamp()
            new = replace(row, updated=stamp, archived=stamp, shape=None)
            self.put(table, new, Op.ARCHIVE, by, (LIVING, ARCHIVED))

    def restore(self, object_name: str, row_id: int, *, by: By) -> Row:
        with self.lock:
            table = self.table(object_name)
            row = table.find(row_id)
            if row is None or row.archived is None:
                raise NotThere(row_id)
            table.check_free(row.props, row.id)
            new = replace(row, updated=self.clock.stamp(), archived=None, shape=None)
            self.put(table, new, Op.RESTORE, by, (ARCHIVED, LIVING))
            return new

    def erase(self, object_name: str, row_id: int, *, by: By) -> None:
        """Nothing of the record is left, not even among the archived ones."""
        with self.lock:
            table = self.table(object_name)
            row = table.find(row_id)
            if row is None:
                raise NotThere(row_id)
            self.clock.stamp()
            self.drop(table, row.id)
            self.log_entry(object_name, row.id, Op.ARCHIVE, by, (row.props, {"erased": "true"}))

    def merge(
        self,
        object_name: str,
        pair: tuple[int, int],
        props: Mapping[str, str],
        *,
        new_id: bool,
        by: By,
    ) -> Row:
        """One record with these values is left, under a third id or the first one's; the other ids
        lead to it.
        """
        with self.lock:
            table = self.table(object_name)
            keep, absorb = (table.living_row(row_id) for row_id in pair)
            into = table.next_id() if new_id else keep.id
            merged = Row(into, props, keep.created, self.clock.stamp())
            gone = [row for row in (keep, absorb) if row.id != into]
            ends = {row.id: list(self.links.all_of((object_name, row.id))) for row in gone}
            for row in gone:
                self.drop(table, row.id)
                self.alias(table, row.id, into)
                states: States = (NOTHING, {"merged_into": str(into)})
                self.log_entry(object_name, row.id, Op.MERGE, by, states)
            self.put(table, merged, Op.MERGE, by, (keep.props, props))
            for old_id, found in ends.items():
                self.move_links((object_name, old_id), (object_name, into), found)
            return table.living_row(into)

    def link(self, near: End, far: End, types: Types, *, by: By) -> None:
        """The two records are associated by exactly these types, seen from near and from far; none
        is no link.
        """
        with self.lock:
            before = self.links.types(near, far)
            if before == types[0]:
                return
            stamp = self.clock.stamp()
            self.set_link(near, far, types, stamp, at_once=by is By.SEED)
            field = f"{far[0]}/{far[1]}"
            states: States = ({field: sorted(before)}, {field: sorted(types[0])})
            op = Op.ASSOCIATE if types[0] - before else Op.DISASSOCIATE
            self.log_entry(near[0], near[1], op, by, states)

    def define(self, object_name: str, definition: Definition, *, by: By) -> None:
        with self.lock:
            self.clock.stamp()
            self.set_definition(self.table(object_name), definition, by)
