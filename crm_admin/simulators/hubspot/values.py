"""What HubSpot takes as a value of each property type, and the form in which it keeps it."""

import re
import time
from calendar import timegm
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from crm_admin.simulators.clock import iso
from crm_admin.simulators.definitions import Definition
from crm_admin.simulators.hubspot.errors import ApiError, detail, invalid
from crm_admin.simulators.rows import Table
from crm_admin.simulators.wire import as_text

MAX_TEXT: Final = 65_536
DAY_MS: Final = 86_400_000
MAX_STAMP_MS: Final = 253_402_300_800_000
EMAIL: Final = re.compile(
    r"[^\s@,;<>()\[\]\"\\]+@(?:[^\s@.,;<>()]+\.)+[^\s@.,;<>()0-9][^\s@.,;<>()]+"
)
ISO_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?"
)
TRUTH: Final = {"true": "true", "false": "false", "1": "true", "0": "false", "yes": "true"}


class Refused(Exception):
    """The value cannot be kept; `code` is HubSpot's word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Rules:
    """What of an account decides over values: its owners, its deal stages by pipeline."""

    def __init__(self, owners: frozenset[str], stages: Mapping[str, frozenset[str]]) -> None:
        self.owners = owners
        self.stages = stages


def epoch_ms(text: str) -> int | None:
    """Milliseconds since 1970 of an ISO text or of a number of them; None when it is neither."""
    stripped = text.strip()
    if re.fullmatch(r"-?\d{1,15}", stripped):
        return int(stripped)
    match = ISO_TIME.fullmatch(stripped)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    parts = (int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    if not _is_moment(parts):
        return None
    milliseconds = int((fraction or "0").ljust(3, "0")[:3])
    return (timegm((*parts, 0, 0, 0)) - _zone_seconds(zone)) * 1000 + milliseconds


def _is_moment(parts: tuple[int, int, int, int, int, int]) -> bool:
    try:
        back = time.gmtime(timegm((*parts, 0, 0, 0)))
    except (ValueError, OverflowError):
        return False
    return tuple(back)[:6] == parts


def _zone_seconds(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def _string(definition: Definition, text: str) -> str:
    if len(text) > MAX_TEXT:
        raise Refused("INVALID_LENGTH", f"{definition.name} is longer than {MAX_TEXT} characters")
    if definition.name == "email":
        text = text.strip().lower()
        if len(text) > 254 or EMAIL.fullmatch(text) is None:
            raise Refused("INVALID_EMAIL", f"Email address {text} is invalid")
    return text


def _number(_definition: Definition, text: str) -> str:
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise Refused("INVALID_INTEGER", f"{text} was not a valid number.") from error
    if not number.is_finite():
        raise Refused("INVALID_INTEGER", f"{text} was not a valid number.")
    return text.strip()


def _date(_definition: Definition, text: str) -> str:
    stamp = epoch_ms(text)
    if stamp is None or stamp % DAY_MS or not 0 <= stamp + MAX_STAMP_MS < 2 * MAX_STAMP_MS:
        raise Refused("INVALID_DATE", f"{text} was not a valid date at midnight UTC.")
    return iso(stamp)[:10]


def _datetime(_definition: Definition, text: str) -> str:
    stamp = epoch_ms(text)
    if stamp is None or abs(stamp) > MAX_STAMP_MS:
        raise Refused("INVALID_DATE", f"{text} was not a valid long.")
    return iso(stamp)


def _boolean(_definition: Definition, text: str) -> str:
    kept = TRUTH.get(text.strip().lower())
    if kept is None:
        raise Refused("INVALID_OPTION", f"{text} was not one of the allowed options: [true, false]")
    return kept


def _choice(definition: Definition, text: str) -> str:
    allowed = [choice.value for choice in definition.choices]
    parts = text.split(";") if definition.accepts_list else [text]
    kept = [part.strip() for part in parts if part.strip()]
    strange = [part for part in kept if allowed and part not in allowed]
    if strange:
        listed = ", ".join(allowed)
        raise Refused(
            "INVALID_OPTION", f"{strange[0]} was not one of the allowed options: [{listed}]"
        )
    return ";".join(dict.fromkeys(kept))


KEEPERS: Final[Mapping[str, Callable[[Definition, str], str]]] = {
    "string": _string,
    "phone_number": _string,
    "number": _number,
    "date": _date,
    "datetime": _datetime,
    "bool": _boolean,
    "enumeration": _choice,
}


def keep(definition: Definition, value: object, rules: Rules, former: str = "") -> str:
    """The text HubSpot would keep for this value, "" clearing it; raises Refused."""
    if isinstance(value, dict | list):
        raise Refused("INVALID_TYPE", f"{definition.name} must be a string")
    text = as_text(value)
    if not text.strip():
        return ""
    if definition.refers_to == "OWNER" and text not in rules.owners:
        raise Refused("INVALID_OWNER_ID", f"Owner {text} does not exist")
    if definition.accepts_list and text.startswith(";"):
        text = f"{former}{text}"
    return KEEPERS.get(definition.type, _string)(definition, text)


def check_properties(
    table: Table, given: Mapping[str, object], former: Mapping[str, str], rules: Rules
) -> dict[str, str]:
    """The given properties as they would be kept; one bad value refuses all of them."""
    kept: dict[str, str] = {}
    wrong: list[dict[str, object]] = []
    for name, value in given.items():
        try:
            kept[name] = keep(_writable(table, name), value, rules, former.get(name, ""))
        except Refused as refused:
            wrong.append(detail(name, refused.code, str(refused)))
    wrong.extend(_wrong_stage({**former, **kept}, rules) if table.name == "deals" else [])
    if wrong:
        raise invalid(wrong)
    return kept


def check_required(props: Mapping[str, str], required: tuple[str, ...]) -> None:
    """Each required property has a value, as validation rules of the account demand it."""
    missing = [name for name in required if not props.get(name)]
    if missing:
        code = "MISSING_REQUIRED_PROPERTY"
        raise invalid([detail(name, code, f"{name} is required") for name in missing])


def needed_to_create(object_name: str, props: Mapping[str, str]) -> ApiError | None:
    """HubSpot's own minimum of a new record."""
    alternatives = {"contacts": ("email", "firstname", "lastname"), "companies": ("name", "domain")}
    names = alternatives.get(object_name)
    if names and not any(props.get(name) for name in names):
        text = f"At least one of {', '.join(names)} is required"
        return invalid([detail(names[0], "MISSING_REQUIRED_PROPERTY", text)])
    both = {"deals": ("dealname", "dealstage"), "notes": ("hs_timestamp",)}
    missing = [name for name in both.get(object_name, ()) if not props.get(name)]
    if not missing:
        return None
    code = "MISSING_REQUIRED_PROPERTY"
    return invalid([detail(name, code, f"{name} is required") for name in missing])


def _writable(table: Table, name: str) -> Definition:
    definition = table.definitions.get(name)
    if definition is None or definition.archived:
        raise Refused("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if definition.read_only:
        raise Refused(
            "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
        )
    return definition


def _wrong_stage(props: Mapping[str, str], rules: Rules) -> list[dict[str, object]]:
    pipeline = props.get("pipeline") or "default"
    stage = props.get("dealstage")
    if pipeline not in rules.stages:
        return [
            detail("pipeline", "INVALID_OPTION", f"{pipeline} was not one of the allowed options")
        ]
    if stage and stage not in rules.stages[pipeline]:
        text = f"{stage} is not a stage of pipeline {pipeline}"
        return [detail("dealstage", "INVALID_OPTION", text)]
    return []
