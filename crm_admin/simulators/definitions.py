"""How a simulated CRM describes one property of its records."""

from dataclasses import asdict, dataclass

MAX_UNIQUE = 10


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = "information"
    description: str = ""
    choices: tuple[Choice, ...] = ()
    unique: bool = False
    read_only: bool = False
    calculated: bool = False
    custom: bool = False
    archived: bool = False
    hidden: bool = False
    hint: str = ""
    refers_to: str = ""
    created: int = 0
    updated: int = 0

    @property
    def accepts_list(self) -> bool:
        return self.field_type == "checkbox"


def definition_to_json(definition: Definition) -> dict[str, object]:
    """The definition as the journal keeps it."""
    return asdict(definition)


def definition_from_json(stored: dict[str, object]) -> Definition:
    """The definition that the journal kept."""
    choices = stored.get("choices")
    made = tuple(Choice(**choice) for choice in choices) if isinstance(choices, list) else ()
    return Definition(**{**stored, "choices": made})  # type: ignore[arg-type]  # our own journal
