"""Faults on demand: rules that make chosen calls fail in ways real providers and networks do."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Protocol

import orjson

from crm_admin.simulators.wire import (
    Answer,
    Cut,
    Handler,
    Hang,
    Request,
    as_float,
    as_int,
    as_list,
    as_map,
    as_text,
    redirect_to,
)

SILENCE: Final = 60.0
HUGE: Final = 10 * 1024 * 1024
LOGIN_PAGE: Final = (
    b"<!doctype html><html><head><title>Log in</title></head><body>Log in</body></html>"
)


class Dialect(Protocol):
    """How one provider words the refusals that a rule can ask for."""

    def refusal(self, status: int, rule: "Rule") -> Answer: ...

    def token_expired(self) -> Answer: ...

    def scope_removed(self, rule: "Rule") -> Answer: ...


@dataclass(slots=True)
class Rule:
    """Hits every `every`-th call of this method and path, at most `times` times; None is without
    end.
    """

    fault: str
    method: str = ""
    path: str = ""
    times: int | None = None
    every: int = 1
    seconds: float | None = None
    value: object = None
    seen: int = 0
    hits: int = 0

    def strikes(self, request: Request) -> bool:
        if self.method and self.method != request.method:
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        if re.search(self.path, request.path) is None:
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.hits += 1
        return True

    def as_json(self) -> dict[str, object]:
        return {
            "fault": self.fault,
            "method": self.method,
            "path": self.path,
            "times": self.times,
            "every": self.every,
            "seconds": self.seconds,
            "value": self.value,
            "hits": self.hits,
        }


def parse_rule(given: dict[str, object]) -> Rule:
    """The rule of a JSON object; an unknown fault or a bad pattern is a ValueError."""
    fault = as_text(given.get("fault"))
    if fault not in FAULTS and not re.fullmatch(r"[45]\d\d", fault):
        raise ValueError(f"unknown fault: {fault}")
    path = as_text(given.get("path"))
    try:
        re.compile(path)
    except re.error as error:
        raise ValueError(f"bad path pattern: {error}") from error
    seconds = given.get("seconds")
    times = given.get("times")
    return Rule(
        fault=fault,
        method=as_text(given.get("method")).upper(),
        path=path,
        times=None if times is None else as_int(times),
        every=max(1, as_int(given.get("every"), 1)),
        seconds=None if seconds is None else as_float(seconds),
        value=given.get("value"),
    )


class Faults:
    """The rules in force, in order; the first that strikes decides the call."""

    def __init__(self, dialect: Dialect) -> None:
        self.rules: list[Rule] = []
        self._dialect = dialect
        self._lock = threading.Lock()
        self._random = Random(7)  # noqa: S311  # repeatable, not secret

    def replace(self, rules: list[Rule]) -> None:
        with self._lock:
            self.rules = rules

    def run(self, request: Request, handle: Handler) -> Answer:
        with self._lock:
            rule = next((each for each in self.rules if each.strikes(request)), None)
        if rule is None:
            return handle(request)
        if rule.fault.isdigit():
            return self._dialect.refusal(int(rule.fault), rule)
        return FAULTS[rule.fault](Struck(rule, request, handle, self._dialect, self._random))


@dataclass(frozen=True, slots=True)
class Struck:
    """One call that a rule hit, and what would have handled it."""

    rule: Rule
    request: Request
    handle: Handler
    dialect: Dialect
    random: Random

    def answer(self) -> Answer:
        return self.handle(self.request)

    def seconds(self, default: float) -> float:
        return default if self.rule.seconds is None else self.rule.seconds


def _html(_struck: Struck) -> Answer:
    return Answer(body=LOGIN_PAGE, content_type="text/html; charset=utf-8")


def _empty(_struck: Struck) -> Answer:
    return Answer(body=b"")


def _truncated(struck: Struck) -> Answer:
    answer = struck.answer()
    return replace(answer, body=answer.body[: len(answer.body) * 2 // 3])


def _wrong_content_type(struck: Struck) -> Answer:
    return replace(struck.answer(), content_type=as_text(struck.rule.value) or "text/plain")


def _wrong_charset(struck: Struck) -> Answer:
    answer = struck.answer()
    body = answer.body.decode().replace("e", "\u00e9").encode("latin-1", "replace")
    return replace(answer, body=body)


def _slow(struck: Struck) -> Answer:
    threading.Event().wait(struck.seconds(1.0))
    return struck.answer()


def _timeout_before(struck: Struck) -> Answer:
    raise Hang(struck.seconds(SILENCE))


def _timeout_after(struck: Struck) -> Answer:
    struck.answer()
    raise Hang(struck.seconds(SILENCE))


def _late(struck: Struck) -> Answer:
    raise Hang(SILENCE, struck.answer, struck.seconds(1.0))


def _reset_before(_struck: Struck) -> Answer:
    raise Cut(reset=True)


def _reset_after(struck: Struck) -> Answer:
    struck.answer()
    raise Cut(reset=True)


def _drip(struck: Struck) -> Answer:
    answer = struck.answer()
    pause = struck.seconds(0.2)

    def drops() -> Iterator[bytes]:
        for start in range(0, len(answer.body), 16):
            yield answer.body[start : start + 16]
            threading.Event().wait(pause)

    length = ("Content-Length", str(len(answer.body)))
    return replace(answer, stream=drops(), headers=[*answer.headers, length])


def _endless(struck: Struck) -> Answer:
    def blanks() -> Iterator[bytes]:
        while True:
            yield b" " * 65536

    return replace(struck.answer(), stream=blanks())


def _half_batch(struck: Struck) -> Answer:
    """Half of the items have their effect, and the answer is an error that does not say so."""
    given = struck.request.json()
    inputs = as_list(given.get("inputs"))
    half = orjson.dumps({**given, "inputs": inputs[: (len(inputs) + 1) // 2]})
    struck.handle(replace(struck.request, body=half))
    return struck.dialect.refusal(as_int(struck.rule.value, 500), struck.rule)


def _edit_results(struck: Struck, edit: Callable[[list[object]], list[object]]) -> Answer:
    answer = struck.answer()
    loaded = as_map(orjson.loads(answer.body)) if answer.body else {}
    if "results" in loaded:
        loaded["results"] = edit(as_list(loaded["results"]))
        answer.body = orjson.dumps(loaded)
    return answer


def _missing_items(struck: Struck) -> Answer:
    return _edit_results(struck, lambda items: items[: -as_int(struck.rule.value, 1)])


def _extra_items(struck: Struck) -> Answer:
    stranger = {"id": "999999999", "properties": {}, "archived": False}
    return _edit_results(struck, lambda items: [*items, stranger])


def _repeated_items(struck: Struck) -> Answer:
    return _edit_results(struck, lambda items: [*items, *items[:1]])


def _thin_items(struck: Struck) -> Answer:
    """The ids are there before the values, as from a replica that lags behind."""

    def thin(item: object) -> object:
        given = as_map(item)
        return {**given, "properties": dict.fromkeys(as_map(given.get("properties")))}

    return _edit_results(struck, lambda items: [thin(item) for item in items])


def _shuffled(struck: Struck) -> Answer:
    return _edit_results(struck, lambda items: struck.random.sample(items, len(items)))


def _repeated_cursor(struck: Struck) -> Answer:
    """The next page is said to begin where this one began."""
    answer = struck.answer()
    loaded = as_map(orjson.loads(answer.body))
    following = as_map(as_map(loaded.get("paging")).get("next"))
    if following:
        asked = struck.request.arg("after") or as_text(_body_of(struck.request).get("after"))
        following["after"] = asked or "0"
        answer.body = orjson.dumps(loaded)
    return answer


def _body_of(request: Request) -> dict[str, object]:
    return request.json() if request.body else {}


def _token_expired(struck: Struck) -> Answer:
    return struck.dialect.token_expired()


def _scope_removed(struck: Struck) -> Answer:
    return struck.dialect.scope_removed(struck.rule)


def _redirect(struck: Struck) -> Answer:
    return redirect_to(as_text(struck.rule.value) or "http://127.0.0.1:9/elsewhere", 302)


def _huge_header(struck: Struck) -> Answer:
    answer = struck.answer()
    answer.set("X-Padding", "x" * as_int(struck.rule.value, HUGE))
    return answer


def _nan(struck: Struck) -> Answer:
    """A number that JSON does not have stands where the first value would."""
    answer = struck.answer()
    return replace(answer, body=re.sub(rb'":"[^"]*"', b'":NaN', answer.body, count=1))


FAULTS: Final[dict[str, Callable[[Struck], Answer]]] = {
    "html": _html,
    "empty": _empty,
    "truncated": _truncated,
    "wrong_content_type": _wrong_content_type,
    "wrong_charset": _wrong_charset,
    "slow": _slow,
    "timeout_before": _timeout_before,
    "timeout_after": _timeout_after,
    "late": _late,
    "reset_before": _reset_before,
    "reset_after": _reset_after,
    "drip": _drip,
    "endless": _endless,
    "half_batch": _half_batch,
    "missing_items": _missing_items,
    "extra_items": _extra_items,
    "repeated_items": _repeated_items,
    "thin_items": _thin_items,
    "shuffled": _shuffled,
    "repeated_cursor": _repeated_cursor,
    "token_expired": _token_expired,
    "scope_removed": _scope_removed,
    "redirect": _redirect,
    "huge_header": _huge_header,
    "nan": _nan,
}
