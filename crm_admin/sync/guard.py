"""The mass-change guard: how much a pass may destroy or create before a person looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from crm_admin.jsontypes import Json


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one connection. Shares are of its linked records; below the floor a share never
    counts.
    """

    deletes_floor: int = 20
    deletes_share: float = 0.05
    deletes_most: int = 500
    creates_floor: int = 200
    creates_share: float = 0.30
    empty_read_above: int = 20

    @classmethod
    def of(cls, stored: Mapping[str, Json] | None) -> "Limits":
        """Return the limits with those a connection sets; what is unknown, negative or no number is
        left out.
        """
        found = {
            one.name: stored[one.name]
            for one in fields(cls)
            if stored and _is_amount(stored.get(one.name))
        }
        return replace(cls(), **found)  # type: ignore[arg-type]  # checked to be numbers above

    def destructive(self, linked: int) -> int:
        """Return how many deletes and blanked fields pass among that many linked records."""
        return min(max(self.deletes_floor, int(linked * self.deletes_share)), self.deletes_most)

    def creates(self, linked: int) -> int:
        """Return how many new records in the CRM pass beside that many linked ones."""
        return max(self.creates_floor, int(linked * self.creates_share))


def _is_amount(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


@dataclass(frozen=True, slots=True)
class Totals:
    """What a pass wants: creates in the CRM, deletes and blanked fields on either side.

    `read` is the number of records a full pass read, None where the pass was none.
    """

    creates: int = 0
    deletes: int = 0
    blanks: int = 0
    read: int | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    ok: bool
    sentence: str = ""


def verdict(totals: Totals, linked: int, limits: Limits | None = None) -> Guard:
    """Return whether the pass may go on; a refusal says in one sentence what was found and what the
    limit is.

    Creates and updates of records of ours never count: a pull may fill an empty hub.
    """
    held = limits or Limits()
    # An empty answer while we know better is a lost permission more often than an empty CRM.
    if totals.read == 0 and linked > held.empty_read_above:
        return Guard(
            ok=False, sentence=f"The CRM returned no records although {linked:,} are linked."
        )
    allowed = held.destructive(linked)
    if totals.deletes + totals.blanks > allowed:
        found = f"{_count(totals.deletes, 'delete')} and {_count(totals.blanks, 'emptied field')}"
        return Guard(ok=False, sentence=_beyond(found, allowed, linked))
    allowed = held.creates(linked)
    if totals.creates > allowed:
        found = f"{_count(totals.creates, 'new record')} in the CRM"
        return Guard(ok=False, sentence=_beyond(found, allowed, linked))
    return Guard(ok=True)


def _beyond(found: str, allowed: int, linked: int) -> str:
    beside = _count(linked, "linked record")
    return f"{found} would be more than the {allowed:,} allowed beside {beside}."


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
