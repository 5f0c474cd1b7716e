"""Steps that replace one value by another: words for truth, tables, look-ups and defaults."""

from collections.abc import Mapping
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.transformers.shape import Params, Transformer, as_text, text_param, unchanged

MOST_ROWS: Final = 10_000


def boolean_words(params: Params) -> Transformer:
    """Their words become true and false whatever their case; several words are separated by |, the
    first is sent.
    """
    yes = [word.strip() for word in text_param(params, "true", "true").split("|")]
    no = [word.strip() for word in text_param(params, "false", "false").split("|")]
    known = {word.casefold(): True for word in yes} | {word.casefold(): False for word in no}
    if len(known) != len(yes) + len(no) or "" in known:
        raise ValueError("The words for true and false must differ and not be empty.")

    def read(value: Json) -> Json:
        found = known.get(as_text(value).strip().casefold())
        if found is None:
            raise ValueError(f"“{as_text(value)[:40]}” is none of the words for yes and no.")
        return found

    def write(value: Json) -> Json:
        if not isinstance(value, bool):
            raise ValueError("The value is neither true nor false.")  # noqa: TRY004  (a value, not a caller's mistake)
        return yes[0] if value else no[0]

    return Transformer(read, write, lossy=len(known) > 2, typed=True)


def _table(params: Params) -> dict[str, Json]:
    table = params.get("table")
    if not isinstance(table, Mapping) or not table or len(table) > MOST_ROWS:
        raise ValueError(f"The table must have between 1 and {MOST_ROWS:,} rows.")
    return dict(table)


def _both_ways(table: Mapping[str, Json], *, strict: bool) -> Transformer:
    """The way back takes the first of several of their values that mean one of ours."""
    back: dict[str, Json] = {}
    for theirs, ours in table.items():
        back.setdefault(as_text(ours), theirs)

    def swap(rows: Mapping[str, Json], value: Json, side: str) -> Json:
        key = as_text(value)
        if key in rows:
            return rows[key]
        if strict:
            raise ValueError(f"“{key[:60]}” is not in the table of values {side}.")
        return value

    return Transformer(
        lambda value: swap(table, value, "of the CRM"),
        lambda value: swap(back, value, "of CRM Admin"),
        lossy=len(back) < len(table) or not strict,
    )


def value_table(params: Params) -> Transformer:
    """`table` holds {theirs: ours}; other values stay as they are unless `strict`."""
    strict = params.get("strict", False)
    if not isinstance(strict, bool):
        raise ValueError("The parameter strict must be true or false.")  # noqa: TRY004  (a value, not a caller's mistake)
    return _both_ways(_table(params), strict=strict)


def lookup(params: Params) -> Transformer:
    """`table` holds {theirs: ours}, handed in with the rule; a value that is not in it is
    refused.
    """
    return _both_ways(_table(params), strict=True)


def owner(params: Params) -> Transformer:
    """`table` holds {their person: ours}, handed in with the rule. Nobody may be in it yet, and who
    is not is said.
    """
    table = params.get("table", {})
    if not isinstance(table, Mapping) or len(table) > MOST_ROWS:
        raise ValueError(f"The table must have at most {MOST_ROWS:,} rows.")
    back: dict[str, Json] = {}
    for theirs, ours in table.items():
        back.setdefault(as_text(ours), theirs)

    def find(people: Mapping[str, Json], value: Json, sentence: str) -> Json:
        found = people.get(as_text(value))
        if found is None:
            raise ValueError(sentence.format(as_text(value)[:60]))
        return found

    theirs_unknown = "Owner {} of the CRM has no account here with the same e-mail address."
    ours_unknown = "This owner has no account in the CRM with the same e-mail address ({})."
    return Transformer(
        lambda value: find(table, value, theirs_unknown),
        lambda value: find(back, value, ours_unknown),
        lossy=len(back) < len(table),
    )


def default(params: Params) -> Transformer:
    """A blank of theirs becomes `value` here; ours is sent as it is."""
    value = params.get("value")
    if value is None or value == "":
        raise ValueError("The parameter value is missing.")
    return Transformer(
        lambda theirs: value if theirs is None or theirs == "" else theirs,
        unchanged,
        lossy=True,
        blanks=True,
    )
