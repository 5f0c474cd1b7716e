"""The custom step: one arrow function per direction, in a bounded subset of JavaScript."""

from crm_admin.mapping.transformers.shape import Params, Transformer


def custom(_params: Params) -> Transformer:
    """Refuse: the evaluator decides what a custom step may be."""
    raise ValueError("Custom steps are not available.")
