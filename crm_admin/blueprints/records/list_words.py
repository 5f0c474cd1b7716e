"""What a list of records says of itself: its first sentence, and its filters as words."""

from dataclasses import dataclass

from crm_admin.blueprints.formats import noun, number, plain
from crm_admin.blueprints.wording import _, ngettext
from crm_admin.records.kinds import Field
from crm_admin.services.queries.records import RecordList


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in words; `name` is the part of the address that it stands for."""

    name: str
    words: str


def view_words(view: str) -> str:
    """Return what a built-in view is called; "" for none of ours."""
    words = {
        "mine": _("Mine"),
        "following": _("Following"),
        "missing": _("Not in a CRM"),
        "failed": _("Failed"),
    }
    return words.get(view, "")


def chips_of(status: Field | None, given: dict[str, str]) -> tuple[Chip, ...]:
    """Return the filters in force, each of which can be taken off."""
    found = []
    if "q" in given:
        found.append(Chip("q", _("“%(words)s”", words=given["q"])))
    if "stage" in given and status is not None:
        label = plain(given["stage"], status)
        found.append(Chip("stage", _("%(field)s: %(value)s", field=status.label, value=label)))
    return tuple(found)


def list_sentence(page: RecordList) -> str:
    """Return how many records there are and how many of them are in a CRM."""
    said = _standing(page)
    if page.totals.failed:
        more = ngettext(
            "One needs a repair.",
            "%(amount)s need a repair.",
            page.totals.failed,
            amount=number(page.totals.failed),
        )
        return f"{said} {more}"
    return said


def _standing(page: RecordList) -> str:
    total, linked = page.totals.total, page.totals.linked
    one, many = noun(page.kind.label), noun(page.kind.plural)
    if not total:
        return (
            _("You own no POVs yet.")
            if page.own_only
            else _("There are no %(many)s yet.", many=many)
        )
    if not page.connections:
        return ngettext(
            "%(amount)s %(one)s. No connection syncs it yet.",
            "%(amount)s %(many)s. No connection syncs them yet.",
            total,
            amount=number(total),
            one=one,
            many=many,
        )
    if linked is None:
        return _("More than %(amount)s %(many)s.", amount=number(total - 1), many=many)
    if linked == total:
        return _all(page, one, many)
    return _some(page, linked, one, many)


def _all(page: RecordList, one: str, many: str) -> str:
    total = page.totals.total
    if page.own_only:
        return ngettext(
            "Your %(one)s is in a CRM.",
            "All your %(amount)s %(many)s are in a CRM.",
            total,
            amount=number(total),
            one=one,
            many=many,
        )
    return ngettext(
        "The %(one)s is in a CRM.",
        "All %(amount)s %(many)s are in a CRM.",
        total,
        amount=number(total),
        one=one,
        many=many,
    )


def _some(page: RecordList, linked: int, one: str, many: str) -> str:
    total = page.totals.total
    words = {
        "some": number(linked),
        "all": number(total),
        "many": one if total == 1 else many,
    }
    if page.own_only:
        return ngettext(
            "%(some)s of your %(all)s %(many)s is in a CRM.",
            "%(some)s of your %(all)s %(many)s are in a CRM.",
            linked,
            **words,
        )
    return ngettext(
        "%(some)s of %(all)s %(many)s is in a CRM.",
        "%(some)s of %(all)s %(many)s are in a CRM.",
        linked,
        **words,
    )
