"""What a record is made of: kinds and fields as declarations that packs fill in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class FieldType(StrEnum):
    STRING = "string"
    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    ENUM = "enum"
    MULTI_ENUM = "multi_enum"
    ARRAY = "array"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    REFERENCE = "reference"


class KeyType(StrEnum):
    """How a field's value becomes a match key; strong keys match alone, weak ones only make look-
    alikes.
    """

    EMAIL = "email"
    PHONE = "phone"
    DOMAIN = "domain"
    NAME = "name"
    EXACT = "exact"


@dataclass(frozen=True, slots=True)
class Option:
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind. `target` is the kind a reference points to."""

    name: str
    label: str
    type: FieldType
    required: bool = False
    options: tuple[Option, ...] = ()
    target: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class KeyRule:
    """A match key made of one or more fields (a name of first and last); `weight` counts in the
    likeness.
    """

    type: KeyType
    fields: tuple[str, ...]
    strong: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Promoted:
    """Which fields fill the plain columns that lists sort and filter by; `title` joins with a
    space.
    """

    title: tuple[str, ...]
    status: str = ""
    owner: str = ""
    amount: str = ""
    due_on: str = ""


@dataclass(frozen=True, slots=True)
class RecordKind:
    name: str
    label: str
    plural: str
    fields: tuple[Field, ...]
    keys: tuple[KeyRule, ...]
    promoted: Promoted

    def field(self, name: str) -> Field:
        """Return the field of that name; KeyError when the kind has none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def references(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.type is FieldType.REFERENCE)


class KindRegistry:
    """The kinds of all packs: unique names, and extensions laid over the kind they extend."""

    def __init__(
        self, kinds: Iterable[RecordKind], extensions: Mapping[str, tuple[Field, ...]]
    ) -> None:
        self._kinds: dict[str, RecordKind] = {}
        for kind in kinds:
            if kind.name in self._kinds:
                raise ValueError(f"Two packs declare the kind {kind.name}.")
            self._kinds[kind.name] = kind
        for name, fields in extensions.items():
            base = self._kinds[name]
            self._kinds[name] = replace(base, fields=base.fields + fields)

    def __getitem__(self, name: str) -> RecordKind:
        return self._kinds[name]

    def get(self, name: str) -> RecordKind | None:
        """Return the kind of that name, None when no pack declares it."""
        return self._kinds.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[RecordKind]:
        return iter(self._kinds.values())
