"""What can go wrong, sorted by what the caller does next, each with a sentence for people."""

from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """Return a value that must be there by now; its absence is a defect of ours."""
    if value is None:
        raise RuntimeError("A value is missing where it was already checked to be there.")
    return value


class CrmAdminError(Exception):
    """The base of our errors: `sentence` says what happened, where, and how to mend it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class BadInput(CrmAdminError):
    """A value someone gave us cannot be used; `field` names the place to mark."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field

    def __reduce__(self) -> tuple[type["BadInput"], tuple[str, str]]:
        return type(self), (self.field, self.sentence)


class NotFound(CrmAdminError):
    """What was asked for is not there, or not for this person: both look the same."""

    def __init__(self, sentence: str = "This is not there. It may have been removed.") -> None:
        super().__init__(sentence)


class NotAllowed(CrmAdminError):
    """The person or token lacks `permission`."""

    def __init__(self, permission: str, sentence: str | None = None) -> None:
        super().__init__(sentence or f"This needs the permission {permission}. Ask an admin.")
        self.permission = permission

    def __reduce__(self) -> tuple[type["NotAllowed"], tuple[str, str]]:
        return type(self), (self.permission, self.sentence)


class Stale(CrmAdminError):
    """Someone changed this since it was shown; show both versions and ask again."""


class Unavailable(CrmAdminError):
    """A part of ours (database, queue, files) does not answer; the same request may work later."""


class LeaseLost(CrmAdminError):
    """Another worker owns this run now; leave without writing anything."""


class ConfigError(CrmAdminError):
    """The settings do not allow a start; `problems` lists every one of them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            "CRM Admin cannot start:\n" + "\n".join(f"  - {line}" for line in problems)
        )
        self.problems = problems

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class RetryLater(CrmAdminError):
    """The CRM asks to wait: put the work back for `after_seconds`."""

    def __init__(self, after_seconds: float, sentence: str | None = None) -> None:
        super().__init__(sentence or f"The CRM asks to wait {after_seconds:.0f} s.")
        self.after_seconds = after_seconds

    def __reduce__(self) -> tuple[type["RetryLater"], tuple[float, str]]:
        return type(self), (self.after_seconds, self.sentence)


class NeedsAttention(CrmAdminError):
    """The connection cannot work until a person acts, usually by connecting again."""


class RecordRejected(CrmAdminError):
    """The CRM refuses this record for `reason`, at `field` where it says so; the others go on."""

    def __init__(self, field: str | None, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason

    def __reduce__(self) -> tuple[type["RecordRejected"], tuple[str | None, str]]:
        return type(self), (self.field, self.reason)


class ProviderBroken(CrmAdminError):
    """The CRM answers nonsense or nothing; counts towards the breaker."""
