"""The shape of a transformer, and how parameters are read from JSON that people wrote."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crm_admin.jsontypes import Json

Params = Mapping[str, Json]
Convert = Callable[[Json], Json]


@dataclass(frozen=True, slots=True)
class Transformer:
    """Both directions of a step; ValueError with a sentence when a value cannot cross.

    `lossy` says that a value does not always come back as it went. `typed` says that the step
    itself makes the type of our field from theirs, so no conversion by type follows. `blanks` says
    it is asked about blanks.
    """

    from_crm: Convert
    to_crm: Convert
    lossy: bool = False
    typed: bool = False
    blanks: bool = False


def unchanged(value: Json) -> Json:
    """Return the value as it is: the way back of a step that has none."""
    return value


def text_param(params: Params, name: str, default: str | None = None) -> str:
    """Return a parameter that must be a text; ValueError when it is not."""
    value = params.get(name, default)
    if not isinstance(value, str) or len(value) > 1_000:
        raise ValueError(f"The parameter {name} must be a text.")
    return value


def choice_param(params: Params, name: str, allowed: tuple[str, ...], default: str) -> str:
    """Return a parameter that must be one of a few words."""
    value = params.get(name, default)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"The parameter {name} must be one of {', '.join(allowed)}.")
    return value


def as_text(value: Json) -> str:
    """Return a scalar as the text people would write; ValueError for lists and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    raise ValueError("This step needs a text.")
