"""One object type of one account: its rows by id, the ids that lead elsewhere, and who holds which
unique value.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crm_admin.simulators.definitions import Definition
from crm_admin.simulators.index import SearchIndex
from crm_admin.simulators.row import Row

FIRST_ID = 101
MAX_SHAPES = 256


class NotThere(Exception):
    """No living record answers to this id."""


class Taken(Exception):
    """Another record holds this unique value."""

    def __init__(self, name: str, value: str, holder: int) -> None:
        super().__init__(f"{name} is taken by {holder}")
        self.name = name
        self.value = value
        self.holder = holder


@dataclass(slots=True)
class Table:
    """`also_unique` names properties whose `;` list holds further values of a unique property."""

    name: str
    definitions: dict[str, Definition]
    also_unique: Mapping[str, str] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    aliases: dict[int, int] = field(default_factory=dict)
    held: dict[str, dict[str, int]] = field(default_factory=dict)
    index: SearchIndex = field(default_factory=SearchIndex)
    living: int = 0
    _unique: tuple[str, ...] | None = None
    last_search: tuple[tuple[object, ...], list[Row]] | None = None
    shapes: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    def next_id(self) -> int:
        return self.ids[-1] + 1 if self.ids else FIRST_ID

    def resolve(self, row_id: int) -> int:
        while row_id in self.aliases:
            row_id = self.aliases[row_id]
        return row_id

    def find(self, row_id: int) -> Row | None:
        return self.rows.get(self.resolve(row_id))

    def living_row(self, row_id: int) -> Row:
        row = self.find(row_id)
        if row is None or row.archived is not None:
            raise NotThere(row_id)
        return row

    def find_by(self, name: str, value: str) -> Row | None:
        holder = self.held.get(name, {}).get(folded(value))
        return None if holder is None else self.rows.get(holder)

    def after(self, row_id: int, *, archived: bool) -> Iterator[Row]:
        for position in range(bisect_right(self.ids, row_id), len(self.ids)):
            row = self.rows.get(self.ids[position])
            if row is not None and (row.archived is not None) == archived:
                yield row

    def unique_names(self) -> tuple[str, ...]:
        if self._unique is None:
            self._unique = tuple(name for name, known in self.definitions.items() if known.unique)
        return self._unique

    def check_free(self, props: Mapping[str, str], own: int | None) -> None:
        for name, value in self._claims(props):
            holder = self.held.get(name, {}).get(value)
            if holder is not None and holder != own:
                raise Taken(name, value, holder)

    def store(self, row: Row) -> Row | None:
        """Puts the row in the place of its former state, which is returned."""
        former = self.rows.get(row.id)
        if former is None:
            self.ids.append(row.id)
        elif former.props is row.props and former.archived == row.archived:
            self.rows[row.id] = row
            return former
        else:
            self._release(former)
        self.rows[row.id] = row
        self._claim(row)
        return former

    def remove(self, row_id: int) -> Row | None:
        former = self.rows.pop(row_id, None)
        if former is not None:
            self._release(former)
        return former

    def define(self, definition: Definition) -> Definition | None:
        former = self.definitions.get(definition.name)
        self.definitions[definition.name] = definition
        self.shapes.clear()
        self._unique = None
        return former

    def remember_shape(self, asked: tuple[str, ...], shape: tuple[str, ...]) -> tuple[str, ...]:
        """Keeps what a list of wanted properties comes to, until the properties change."""
        if len(self.shapes) >= MAX_SHAPES:
            self.shapes.clear()
        self.shapes[asked] = shape
        return shape

    def _claims(self, props: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for name in self.unique_names():
            value = props.get(name)
            if value:
                yield name, folded(value)
        for name, unique in self.also_unique.items():
            for part in props.get(name, "").split(";"):
                if part:
                    yield unique, folded(part)

    def _claim(self, row: Row) -> None:
        if row.archived is None:
            self.living += 1
            for name, value in self._claims(row.props):
                self.held.setdefault(name, {})[value] = row.id

    def _release(self, row: Row) -> None:
        if row.archived is None:
            self.living -= 1
            for name, value in self._claims(row.props):
                if self.held.get(name, {}).get(value) == row.id:
                    del self.held[name][value]


def folded(value: str) -> str:
    """The form in which unique values are compared."""
    return value.strip().casefold()
