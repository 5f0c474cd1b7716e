"""How a call can end without a usable answer, told apart by whether it may have had an effect."""

from enum import StrEnum


class Reason(StrEnum):
    """Why there is no usable answer; sentences are for people, reasons for decisions."""

    REFUSED = "refused"  # the address guard does not allow it
    NAME = "name"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    TOO_LARGE = "too_large"
    CUT = "cut"
    NOT_JSON = "not_json"
    EMPTY = "empty"


class CallFailed(Exception):
    """A call ended without a usable answer."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class NotSent(CallFailed):
    """Surely no effect: not one byte of the request was sent."""


class NoAnswer(CallFailed):
    """The request was sent and nothing came back: whether it had an effect is not known."""


class BadAnswer(CallFailed):
    """An answer began and cannot be used: cut, too large, not JSON. `status` is what it said.

    `body` is what came, as far as it was read; it goes into the call log, masked, and nowhere else.
    """

    def __init__(self, reason: Reason, sentence: str, status: int) -> None:
        super().__init__(reason, sentence)
        self.status = status
        self.body = b""
