"""Translations with types: Babel's own functions carry none."""

from flask_babel import gettext
from flask_babel import ngettext as plural


def _(text: str, /, **values: object) -> str:
    """Return a sentence in the person's language with its named values."""
    return str(gettext(text, **values))


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """Return the sentence for a number of things, which it may name as %(num)d."""
    return str(plural(one, many, num, **values))
