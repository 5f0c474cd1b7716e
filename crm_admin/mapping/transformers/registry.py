"""The list of named steps: what each is called, what it takes, and how it is built from its
parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import Step
from crm_admin.mapping.transformers import choices, dates, numbers, text
from crm_admin.mapping.transformers.custom import custom
from crm_admin.mapping.transformers.shape import Params, Transformer

Build = Callable[[Params], Transformer]


@dataclass(frozen=True, slots=True)
class StepSpec:
    """What people see of a step; `example` holds parameters that build."""

    name: str
    label: str
    help: str
    build: Build
    example: Mapping[str, Json]


_SPECS: Final = (
    StepSpec("trim", "Trim", "Takes away blanks at both ends.", text.trim, {}),
    StepSpec(
        "case",
        "Case",
        "Writes in lower, upper or title case; the way back has its own case or leaves the text.",
        text.case,
        {"from": "lower", "to": "upper"},
    ),
    StepSpec(
        "to_number",
        "Number in text",
        "Reads a number written with separators, such as 1.234,50, and writes it so.",
        numbers.to_number,
        {"decimal": ",", "thousands": "."},
    ),
    StepSpec(
        "number_format",
        "Decimals and factor",
        "Multiplies by a factor and keeps so many decimals.",
        numbers.number_format,
        {"factor": "100", "decimals": 2},
    ),
    StepSpec(
        "currency",
        "Money",
        "Reads a plain amount as money of one currency, or an amount with its code.",
        numbers.currency,
        {"currency": "EUR"},
    ),
    StepSpec(
        "date_format",
        "Date format",
        "Reads and writes dates in a pattern of YYYY, MM, DD, hh, mm and ss.",
        dates.date_format,
        {"pattern": "DD.MM.YYYY"},
    ),
    StepSpec(
        "epoch_ms",
        "Milliseconds since 1970",
        "Reads and writes a time as milliseconds since 1970.",
        dates.epoch_ms,
        {},
    ),
    StepSpec(
        "boolean_words",
        "Words for yes and no",
        "Reads and writes words for true and false.",
        choices.boolean_words,
        {"true": "yes", "false": "no"},
    ),
    StepSpec("split", "Split", "Cuts a text into a list.", text.split, {"by": ";"}),
    StepSpec("join", "Join", "Joins a list into a text.", text.join, {"by": ", "}),
    StepSpec(
        "value_table",
        "Value table",
        "Replaces listed values; others stay, or are refused when the table is strict.",
        choices.value_table,
        {"table": {"0": "open", "1": "won"}, "strict": True},
    ),
    StepSpec(
        "default",
        "Default",
        "Stands in for a blank value of the CRM.",
        choices.default,
        {"value": "unknown"},
    ),
    StepSpec(
        "phone",
        "Phone number",
        "Writes phone numbers in international form; a number without country takes the given one.",
        text.phone,
        {"country": "GB"},
    ),
    StepSpec(
        "template",
        "Template",
        "Puts the value between fixed texts, and takes these off on the way back.",
        text.template,
        {"text": "CRM: {value}"},
    ),
    StepSpec(
        "owner",
        "Owner",
        "Replaces a person of the CRM by ours and back.",
        choices.owner,
        {"table": {"51": "01939c6e-0000-7000-8000-000000000001"}},
    ),
    StepSpec(
        "look_up",
        "Look-up",
        "Replaces a value by its pair in a list kept elsewhere.",
        choices.lookup,
        {"table": {"DE": "Germany"}},
    ),
    StepSpec(
        "custom",
        "Custom",
        "Runs an arrow function for each direction.",
        custom,
        {"fromCRM": "(value) => value.toLowerCase()", "toCRM": "(value) => value.toUpperCase()"},
    ),
)

STEPS: Final[Mapping[str, StepSpec]] = {spec.name: spec for spec in _SPECS}


def build(step: Step, lookups: Mapping[str, Mapping[str, Json]] | None = None) -> Transformer:
    """Return the transformer of a step; ValueError with a sentence when its name or parameters are
    wrong.

    `lookups` holds tables kept elsewhere by name; a step names one with the parameter `list`.
    """
    spec = STEPS.get(step.name)
    if spec is None:
        raise ValueError(f"There is no step called {step.name}.")
    params = dict(step.params)
    name = params.get("list", step.name if step.name == "owner" else None)
    if isinstance(name, str) and lookups and name in lookups and "table" not in params:
        params["table"] = dict(lookups[name])
    return spec.build(params)
