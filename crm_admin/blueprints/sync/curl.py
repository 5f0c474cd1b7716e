"""A logged call as a command for a terminal; the secret is a variable, never its value."""

from shlex import quote

from crm_admin.providers.registry import spec_of
from crm_admin.services.queries.run_calls import Call

VARIABLE = "TOKEN"


def curl(call: Call, *, provider: str, endpoint: str) -> str:
    """Return the command that makes the same call; masked parts of its body stay masked."""
    base = (endpoint or (spec_of(provider).endpoint if provider else "")).rstrip("/")
    parts = [
        f"curl -X {quote(call.method)} {quote(base + call.path)}",
        f'-H "Authorization: Bearer ${VARIABLE}"',
    ]
    if call.asked:
        parts += ["-H 'Content-Type: application/json'", f"--data {quote(call.asked)}"]
    return " \\\n  ".join(parts)
