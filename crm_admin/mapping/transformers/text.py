"""Steps on texts: trim, case, split, join, template and phone numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.transformers.shape import (
    Params,
    Transformer,
    as_text,
    choice_param,
    text_param,
    unchanged,
)
from crm_admin.records.phones import e164, region_of

CASES: Final[Mapping[str, Callable[[str], str]]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "keep": str,
}


def trim(_params: Params) -> Transformer:
    """Blanks at both ends are taken away in both directions."""

    def strip(value: Json) -> Json:
        return value.strip() if isinstance(value, str) else value

    return Transformer(strip, strip, lossy=True)


def case(params: Params) -> Transformer:
    """`from` is the case of our value, `to` that of theirs; without `to` ours is sent as it is."""
    words = tuple(CASES)
    ours = CASES[choice_param(params, "from", words, "keep")]
    theirs = CASES[choice_param(params, "to", words, "keep")]
    return Transformer(
        lambda value: ours(as_text(value)), lambda value: theirs(as_text(value)), lossy=True
    )


def _separator(params: Params, default: str) -> str:
    by = text_param(params, "by", default)
    if not by:
        raise ValueError("The parameter by must not be empty.")
    return by


def _cut(by: str) -> Callable[[Json], Json]:
    def cut(value: Json) -> Json:
        return [part.strip() for part in as_text(value).split(by) if part.strip()]

    return cut


def _joined(by: str) -> Callable[[Json], Json]:
    def join_parts(value: Json) -> Json:
        if isinstance(value, str) or not isinstance(value, Sequence):
            return as_text(value)
        parts = [as_text(part) for part in value]
        if any(by.strip() and by.strip() in part for part in parts):
            raise ValueError(f"An entry contains “{by.strip()}”, which separates entries.")
        return by.join(parts)

    return join_parts


def split(params: Params) -> Transformer:
    """Their text becomes our list and back; an entry must not contain the separator."""
    by = _separator(params, ";")
    return Transformer(_cut(by), _joined(by), lossy=True, typed=True)


def join(params: Params) -> Transformer:
    """Their list becomes our text and back; an entry must not contain the separator."""
    by = _separator(params, ", ")
    return Transformer(_joined(by), _cut(by.strip() or by), lossy=True, typed=True)


def template(params: Params) -> Transformer:
    """Our value is theirs between fixed texts; the way back refuses a value that lacks them."""
    pattern = text_param(params, "text")
    before, mark, after = pattern.partition("{value}")
    if not mark or "{value}" in after:
        raise ValueError("The template must contain {value} exactly once.")

    def put(value: Json) -> Json:
        return f"{before}{as_text(value)}{after}"

    def take_off(value: Json) -> Json:
        written = as_text(value)
        fits = written.startswith(before) and written.endswith(after)
        if not fits or len(written) < len(before) + len(after):
            raise ValueError(f"The value does not look like “{pattern}”.")
        return written[len(before) : len(written) - len(after)]

    return Transformer(put, take_off)


def phone(params: Params) -> Transformer:
    """Theirs becomes E.164 here; ours is sent as it is. What is no possible number stays as
    written.
    """
    country = text_param(params, "country", "")
    region = region_of(country) if country else None
    if country and region is None:
        raise ValueError(f"{country} is not a country this step knows.")

    def international(value: Json) -> Json:
        written = as_text(value)
        return e164(written, region) or written

    return Transformer(international, unchanged, lossy=True)
