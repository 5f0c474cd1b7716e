"""The check list of a connection: what works, what does not, and what to do about it."""

from collections.abc import Callable, Iterator, Sequence

from crm_admin.errors import CrmAdminError, NeedsAttention, RetryLater
from crm_admin.outward.calls import Answer, Request
from crm_admin.outward.failures import CallFailed
from crm_admin.providers.base import Account, CheckLine
from crm_admin.providers.hubspot.calls import Calls
from crm_admin.providers.hubspot.payloads import schema_of, table, text
from crm_admin.providers.hubspot.spec import (
    ENVIRONMENTS,
    MARKER,
    SPEC,
    scope_of,
)

LABELS = {
    "address": "Address answers",
    "credentials": "Access token accepted",
    "account": "Account known",
    "scopes": "Records can be read",
    "fields": "Properties can be read",
    "write": "Records can be written",
    "clock": "Clocks agree",
}
WORST_CLOCK_SECONDS = 300.0


def read_account(calls: Calls) -> Account:
    """Return the account the token belongs to."""
    data = table(calls.get(calls.paths.account))
    number = text(data.get("portalId"))
    kind = text(data.get("accountType"))
    return Account(
        id=number,
        name=f"HubSpot {number}",
        environment=ENVIRONMENTS.get(kind, "production"),
        time_zone=text(data.get("timeZone")),
        currency=text(data.get("companyCurrency")),
    )


def check_lines(calls: Calls, objects: Sequence[str]) -> Iterator[CheckLine]:
    """Yield the lines one after the other; once the token is refused the rest cannot be tried."""
    reached = False
    for line in _reach(calls):
        reached = line.ok is True
        yield line
    steps: dict[str, Callable[[], CheckLine]] = {
        "account": lambda: _account_line(calls),
        "scopes": lambda: _scopes_line(calls, objects),
        "fields": lambda: _fields_line(calls, objects),
        "write": lambda: _write_line(calls, objects),
        "clock": lambda: _clock_line(calls.transport.clock_offset),
    }
    for name, step in steps.items():
        yield _tried(name, step) if reached else _untried(name)


def _reach(calls: Calls) -> Iterator[CheckLine]:
    """The first two lines come from one call: whether anybody answers, and whether they know us."""
    try:
        answer = calls.transport.send(Request("GET", calls.paths.account))
    except (CallFailed, RetryLater) as failure:
        fix = "Check the address, the network between us, and whether HubSpot is up."
        yield _line("address", failure.sentence, ok=False, fix=fix)
        yield _untried("credentials")
        return
    except NeedsAttention as error:
        # The sign-in ended before any call of ours could go out.
        yield CheckLine("address", LABELS["address"], None, "Not tried without a sign-in.")
        yield _line("credentials", error.sentence, ok=False)
        return
    if 300 <= answer.status < 400 or answer.status in (404, 410) or answer.status >= 500:
        fix = "Check the address of the connection."
        yield _line("address", f"The answer was {answer.status}.", ok=False, fix=fix)
        yield _untried("credentials")
        return
    yield _line("address", f"Answered in {answer.milliseconds:.0f} ms.")
    if answer.status == 401:
        fix = "Create a new service key, or copy the private app's token again."
        yield _line("credentials", "HubSpot does not accept the token.", ok=False, fix=fix)
    else:
        yield _line("credentials", "HubSpot accepts the token.")


def _account_line(calls: Calls) -> CheckLine:
    account = read_account(calls)
    if not account.id:
        return _line("account", "HubSpot does not say which account this is.", ok=False)
    return _line("account", f"Account {account.id}, {account.environment}, {account.currency}.")


def _scopes_line(calls: Calls, objects: Sequence[str]) -> CheckLine:
    refused = [name for name in objects if not _may_read(calls, name)]
    if refused:
        scopes = ", ".join(dict.fromkeys(scope_of(name, write=False) for name in refused))
        fix = f"Add {scopes} to the token in HubSpot."
        return _line("scopes", f"{_names(refused)} cannot be read.", ok=False, fix=fix)
    return _line("scopes", f"{_names(objects)} can be read.")


def _fields_line(calls: Calls, objects: Sequence[str]) -> CheckLine:
    parts: list[str] = []
    for name in objects:
        schema = schema_of(name, calls.get(f"{calls.paths.properties}/{name}?archived=false"))
        known = any(field.name == MARKER for field in schema.fields)
        marked = "with" if known else "without"
        parts.append(f"{SPEC.object(name).plural}: {len(schema.fields)} ({marked} our key)")
    return _line("fields", "; ".join(parts) + ".")


def _write_line(calls: Calls, objects: Sequence[str]) -> CheckLine:
    refused = [name for name in objects if not _may_write(calls, name)]
    if refused:
        scopes = ", ".join(dict.fromkeys(scope_of(name, write=True) for name in refused))
        fix = f"Add {scopes} to the token, or let the connection only read."
        return _line("write", f"{_names(refused)} cannot be written.", ok=False, fix=fix)
    return _line("write", f"{_names(objects)} can be written.")


def _may_read(calls: Calls, name: str) -> bool:
    answer = calls.transport.send(Request("GET", f"{calls.paths.objects}/{name}?limit=1"))
    return _allowed(calls, answer)


def _may_write(calls: Calls, name: str) -> bool:
    """A batch without inputs changes nothing: the right to write is looked at before the inputs."""
    answer = calls.write(f"{calls.paths.objects}/{name}/batch/update", {"inputs": []})
    return answer.status == 400 or _allowed(calls, answer)


def _allowed(calls: Calls, answer: Answer) -> bool:
    if answer.status in (403, 404):
        return False
    if not answer.ok:
        raise calls.refusal(answer)
    return True


def _clock_line(offset: float) -> CheckLine:
    if abs(offset) <= WORST_CLOCK_SECONDS:
        return _line("clock", f"HubSpot's clock and ours differ by {abs(offset):.0f} s.")
    ahead = "ahead of" if offset > 0 else "behind"
    sentence = f"HubSpot's clock is {abs(offset):.0f} s {ahead} ours."
    return _line("clock", sentence, ok=False, fix="Set the clock of this machine.")


def _tried(name: str, step: Callable[[], CheckLine]) -> CheckLine:
    try:
        return step()
    except CallFailed as failure:
        return _line(name, failure.sentence, ok=False)
    except CrmAdminError as error:
        return _line(name, error.sentence, ok=False)


def _untried(name: str) -> CheckLine:
    return CheckLine(name, LABELS[name], None, "Not tried, because an earlier line failed.")


def _line(name: str, sentence: str, *, ok: bool = True, fix: str = "") -> CheckLine:
    return CheckLine(name, LABELS[name], ok, sentence, fix)


def _names(objects: Sequence[str]) -> str:
    return ", ".join(SPEC.object(name).plural for name in objects)
