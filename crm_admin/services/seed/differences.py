"""How another team keeps the same records: other spellings, older values, empty fields."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from crm_admin.records.names import company_name
from crm_admin.services.seed.draws import Draws, latin, respelt_phone, shouted, without_accents
from crm_admin.services.seed.places import PLACES
from crm_admin.services.seed.words import INDUSTRIES, LIFECYCLES, TITLES

Properties = dict[str, str]
Rewrite = Callable[[Draws, str], str]

TRUNKS: Final = {place.phone.partition(" ")[0]: place.trunk for place in PLACES}
SPELLINGS: Final = {place.country: place.spellings for place in PLACES}
LATIN_CITIES: Final = {
    city.partition("=")[0]: latin(city).replace("-", " ").title()
    for place in PLACES
    for city in place.cities
}
TITLES_THERE: Final = dict(TITLES)
INDUSTRIES_THERE: Final = {words: code for code, words in INDUSTRIES}


def _phone(draws: Draws, value: str) -> str:
    return respelt_phone(draws, value, TRUNKS.get(value.partition(" ")[0], ""))


def _country(draws: Draws, value: str) -> str:
    return draws.pick(SPELLINGS.get(value, (value,)))


def _city(_draws: Draws, value: str) -> str:
    return LATIN_CITIES.get(value.strip(), value)


def _title(_draws: Draws, value: str) -> str:
    return TITLES_THERE.get(value, value)


def _lifecycle(draws: Draws, value: str) -> str:
    return draws.other(tuple(dict.fromkeys(LIFECYCLES)), value)


def _short_name(_draws: Draws, value: str) -> str:
    """The company without its legal form, as people say it."""
    words = len(company_name(value).split())
    return " ".join(value.replace("&", "").split()[: min(2, words)])


def _plain(_draws: Draws, value: str) -> str:
    return without_accents(value)


def _loud(_draws: Draws, value: str) -> str:
    return shouted(value)


def _people_count(draws: Draws, value: str) -> str:
    return str(max(1, int(value) * draws.number(80, 130) // 100))


def _sum(draws: Draws, value: str) -> str:
    """Other systems write whole amounts with decimals; a tenth is another amount altogether."""
    return f"{int(value) * draws.number(85, 120) // 100}.50"


def _http(_draws: Draws, value: str) -> str:
    return value.replace("https://www.", "http://")


def _other_day(draws: Draws, value: str) -> str:
    day = date.fromisoformat(value[:10]) + timedelta(days=draws.number(3, 45))
    return f"{day.isoformat()}T00:00:00.000Z"


def _emptied(_draws: Draws, _value: str) -> str:
    return ""


Table = tuple[tuple[str, float, Rewrite], ...]

CONTACTS: Final[Table] = (
    ("firstname", 0.06, _plain),
    ("lastname", 0.03, _loud),
    ("phone", 0.12, _phone),
    ("phone", 0.05, _emptied),
    ("mobilephone", 0.12, _phone),
    ("jobtitle", 0.09, _title),
    ("company", 0.05, _short_name),
    ("city", 0.12, _city),
    ("zip", 0.05, _emptied),
    ("country", 0.07, _country),
    ("lifecyclestage", 0.06, _lifecycle),
)
COMPANIES: Final[Table] = (
    ("name", 0.08, _short_name),
    ("website", 0.15, _http),
    ("phone", 0.15, _phone),
    ("address", 0.1, _emptied),
    ("city", 0.15, _city),
    ("country", 0.08, _country),
    ("numberofemployees", 0.12, _people_count),
    ("annualrevenue", 0.1, _sum),
    ("lifecyclestage", 0.06, _lifecycle),
)
POVS: Final[Table] = (
    ("dealname", 0.15, _loud),
    ("amount", 0.35, _sum),
    ("closedate", 0.35, _other_day),
    ("description", 0.3, _emptied),
)


def kept_elsewhere(draws: Draws, table: Table, properties: Properties) -> Properties:
    """Return the properties as the other team keeps them; the draws do not depend on the values."""
    kept = dict(properties)
    for name, share, rewrite in table:
        if draws.chance(share) and kept.get(name):
            kept[name] = rewrite(draws, kept[name])
    return {name: value for name, value in kept.items() if value}
