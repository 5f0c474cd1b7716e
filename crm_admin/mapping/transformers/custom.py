"""The custom step: one arrow function per direction, in a bounded subset of JavaScript."""

from crm_admin.mapping.expressions.parser import compile_arrow
from crm_admin.mapping.transformers.shape import (
    Convert,
    Params,
    Transformer,
    text_param,
    unchanged,
)


def custom(params: Params) -> Transformer:
    """`fromCRM` makes our value of theirs, `toCRM` theirs of ours; a missing one leaves the value
    as it is.

    Blanks are not handed to the functions, so that neither has to ask for them.
    """
    found = [name for name in ("fromCRM", "toCRM") if params.get(name)]
    if not found:
        raise ValueError("Write a function for at least one direction.")
    return Transformer(_function(params, "fromCRM"), _function(params, "toCRM"), lossy=True)


def _function(params: Params, name: str) -> Convert:
    source = params.get(name)
    if source is None or source == "":
        return unchanged
    if not isinstance(source, str):
        return compile_arrow(text_param(params, name))
    return compile_arrow(source)
