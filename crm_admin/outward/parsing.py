"""Reads the body of an answer as JSON and says in words what it is when it is not."""

import orjson

from crm_admin.jsontypes import Json
from crm_admin.outward.failures import BadAnswer, Reason

ESCAPED_NUL = b"\\u0000"


def parse_json(body: bytes, content_type: str, status: int) -> Json:
    """Return the JSON value of a body; BadAnswer says whether it is empty, a page, cut or nonsense.

    NUL characters inside texts are left out, because no database of ours can keep them.
    """
    if not body.strip():
        raise BadAnswer(Reason.EMPTY, "The answer is empty.", status)
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _explained(body, content_type, status) from error
    if "json" not in content_type.lower():
        kind = content_type.partition(";")[0][:60] or "nothing"
        raise BadAnswer(Reason.NOT_JSON, f"The answer says it is {kind} instead of JSON.", status)
    return without_nul(value) if ESCAPED_NUL in body else value


def parse_leniently(body: bytes) -> Json:
    """Return the JSON value of a refusal's body, null when it has none: its status says enough."""
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return without_nul(value) if ESCAPED_NUL in body else value


def without_nul(value: Json) -> Json:
    """Return the value with NUL characters taken out of every text and name."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {str(without_nul(key)): without_nul(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return value


def _explained(body: bytes, content_type: str, status: int) -> BadAnswer:
    start = body.lstrip()[:200].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return BadAnswer(Reason.NOT_JSON, "The answer is a web page instead of JSON.", status)
    if "json" in content_type.lower() and start[:1] in b"{[":
        ends = body.rstrip()[-1:]
        if ends not in (b"}", b"]"):
            return BadAnswer(Reason.CUT, "The answer breaks off in the middle.", status)
    return BadAnswer(Reason.NOT_JSON, "The answer is not valid JSON.", status)
