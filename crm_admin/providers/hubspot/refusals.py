"""What HubSpot's refusals mean: how long to wait, which scope is missing, which field is wrong."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from crm_admin import clock
from crm_admin.jsontypes import Json
from crm_admin.outward.calls import RETRY_AFTER_CAP, Answer
from crm_admin.outward.protocols import Seen
from crm_admin.providers.base import Action, Ending, Outcome
from crm_admin.providers.hubspot.payloads import rows, table, text
from crm_admin.providers.hubspot.spec import SEARCH

BUSY = frozenset({423, 429, 477})
BACK_OFF: Mapping[str, float] = {
    "SECONDLY": 1.0,
    "TEN_SECONDLY_ROLLING": 10.0,
    "DAILY": RETRY_AFTER_CAP,
}
LOCKED_SECONDS = 2.0
MIGRATING_SECONDS = 60.0
EXISTING_ID = re.compile(r"Existing ID: (\d{1,20})")
LONGEST_SENTENCE = 300
GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal of a call or of one row, as far as it can be read."""

    status: int
    category: str = ""
    code: str = ""
    field: str | None = None
    sentence: str = ""
    existing_id: str | None = None
    after_seconds: float | None = None


def wait_seconds(answer: Answer) -> float:
    """Return how long a busy answer asks to wait: its header, else what its policy is known for."""
    told = retry_after(answer.headers.get("retry-after", ""))
    if told is not None:
        return told
    if answer.status == 423:
        return LOCKED_SECONDS
    if answer.status == 477:
        return MIGRATING_SECONDS
    return BACK_OFF.get(text(table(answer.data).get("policyName")), 10.0)


def retry_after(value: str) -> float | None:
    """Return the seconds of a Retry-After header (seconds or a date), at most an hour."""
    stripped = value.strip()
    try:
        seconds = float(stripped)
    except ValueError:
        try:
            until = parsedate_to_datetime(stripped)
        except (ValueError, TypeError, IndexError):
            return None
        seconds = (
            (until if until.tzinfo else until.replace(tzinfo=UTC)) - clock.now()
        ).total_seconds()
    return min(seconds, RETRY_AFTER_CAP) if seconds > 0 else None


def limits_told(answer: Answer, bucket: str) -> Iterable[Seen]:
    """Yield what an answer tells about the limits; search answers carry no headers."""
    headers = answer.headers
    window = _number(headers.get("x-hubspot-ratelimit-interval-milliseconds"))
    most = _number(headers.get("x-hubspot-ratelimit-max"))
    if most and window:
        left = _number(headers.get("x-hubspot-ratelimit-remaining"))
        yield Seen("", most, left, window / 1000)
    daily = _number(headers.get("x-hubspot-ratelimit-daily"))
    if daily:
        left = _number(headers.get("x-hubspot-ratelimit-daily-remaining"))
        yield Seen("daily", daily, left, 86_400.0)
    if answer.status == 429:
        seconds = wait_seconds(answer)
        yield Seen(bucket if bucket == SEARCH else "", blocked_seconds=seconds)
        if text(table(answer.data).get("policyName")) == "DAILY":
            yield Seen("" if bucket == SEARCH else SEARCH, blocked_seconds=seconds)


def missing_scopes(data: Json) -> tuple[str, ...]:
    """Return the scopes that a 403 names."""
    found: list[str] = []
    for detail in map(table, rows(table(data).get("errors"))):
        context = table(detail.get("context"))
        for name in ("requiredGranularScopes", "requiredScopes"):
            found += [text(scope) for scope in rows(context.get(name))]
    return tuple(dict.fromkeys(scope for scope in found if scope))


def read_refusal(status: int, data: Json) -> Refusal:
    """Return what a refusal of a call, or one of `errors` of a batch, says."""
    error = table(data)
    details = [table(detail) for detail in rows(error.get("errors"))]
    first = details[0] if details else table(None)
    message = text(error.get("message"))
    sentence = text(first.get("message")) or message
    names = rows(table(first.get("context")).get("propertyName"))
    field = text(first.get("in")) or (text(names[0]) if names else "")
    existing = EXISTING_ID.search(message) or EXISTING_ID.search(sentence)
    scopes = missing_scopes(data)
    if scopes:
        sentence = f"The scope {', '.join(scopes)} is missing."
    return Refusal(
        status=status,
        category=text(error.get("category")),
        code=text(first.get("code")) or text(error.get("category")) or str(status),
        field=field or None,
        sentence=sentence[:LONGEST_SENTENCE] or f"HubSpot answered {status}.",
        existing_id=existing.group(1) if existing else None,
    )


def outcome_of(trace: str, action: Action, refusal: Refusal) -> Outcome:
    """Return how a write ended that was refused like this."""
    return Outcome(
        trace=trace,
        ending=ending_of(action, refusal),
        field=refusal.field,
        code=refusal.code,
        sentence=refusal.sentence,
        existing_id=refusal.existing_id,
        after_seconds=refusal.after_seconds,
    )


ROW_STATUS: Mapping[str, int] = {
    "CONFLICT": 409,
    "OBJECT_ALREADY_EXISTS": 409,
    "OBJECT_NOT_FOUND": 404,
    "RATE_LIMITS": 429,
    "INTERNAL_ERROR": 500,
    "MISSING_SCOPES": 403,
}


def status_of_row(error: Mapping[str, Json]) -> int:
    """Return the status that a row's refusal would have had alone; rows carry only a category."""
    return ROW_STATUS.get(text(error.get("category")), 400)


def ending_of(action: Action, refusal: Refusal) -> Ending:
    """Return what a status means for a write: nothing happened, too late, or nobody knows."""
    status = refusal.status
    if refusal.existing_id is not None or status == 409:
        return Ending.EXISTS
    if status in BUSY or status in (401, 412):
        return Ending.LATER
    if status in GONE:
        gone = {Action.CREATE: Ending.REJECTED, Action.UPDATE: Ending.GONE}
        return gone.get(action, Ending.DONE)
    if status == 408 or not 400 <= status < 500:
        return unknown(action)
    return Ending.REJECTED


def unknown(action: Action) -> Ending:
    """Return the ending of a write nobody knows about; archiving twice is archiving once."""
    return Ending.LATER if action is Action.ARCHIVE else Ending.UNKNOWN


def _number(value: str | None) -> int | None:
    stripped = (value or "").strip()
    return (
        int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 12 else None
    )
