"""Invented people, companies and deals of many countries, written down as untidily as people do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Final, TypeVar

from crm_admin.simulators.clock import iso

FIRST_CREATED: Final = 1_577_836_800_000
CREATED_SPAN: Final = 150_000_000_000
PLACES: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("+49", ("Germany", "Deutschland", "DE", "germany "), ("Köln", "Berlin", "Münster", "LEIPZIG")),
    (
        "+44",
        ("United Kingdom", "UK", "U.K.", "Great Britain"),
        ("London", "Leeds", "St Ives", "bristol"),
    ),
    ("+1", ("United States", "USA", "U.S.", "us"), ("Austin", "New York", "San José", "Boise ")),
    ("+33", ("France", "FR", "FRANCE"), ("Paris", "Besançon", "L'Haÿ-les-Roses")),
    ("+48", ("Poland", "Polska", "PL"), ("Łódź", "Kraków", "Warszawa")),
    ("+351", ("Portugal", "PT"), ("Lisboa", "São João da Madeira")),
    ("+81", ("Japan", "日本"), ("東京", "Osaka")),
    ("+971", ("United Arab Emirates", "UAE", "الإمارات"), ("Dubai", "أبوظبي")),
    ("+91", ("India", "IN", "Bharat"), ("Pune", "Bengaluru", "नई दिल्ली")),
    ("+30", ("Greece", "Ελλάδα"), ("Αθήνα", "Patras")),
)
FIRST: Final = (
    *("Ann", "Anna", "Ánna", "José", "Zoë", "Björn", "Łukasz", "Siân", "Mårten", "Inês", "Chloé"),
    *("François", "Jürgen", "Noor", "محمد", "太郎", "Ελένη", "Олена", "Nguyễn", "Priya", "Omar"),
    *(
        "Grace",
        "Tomás",
        "Ngozi",
        "Aoife",
        "Mei",
        "Yusuf",
        "Katarzyna",
        "Dmitri",
        "Leïla",
        "Bo",
        "X",
    ),
    *("Jean-Luc", "Mary-Ann"),
)
LAST: Final = (
    *("Müller", "Mueller", "Muller", "O'Brien", "OBrien", "García", "Garcia", "Smith", "Smyth"),
    *("Schmidt", "Øster", "Kowalski", "Żak", "Silva", "D'Angelo", "McDonald", "Macdonald", "山田"),
    *("Παπαδόπουλος", "Шевченко", "Trần", "Patel", "Okafor", "Haddad", "Van-Dyk", "Li", "Ng"),
    *("Fernández", "Lindqvist", "Novák", "Çelik", "Andersson", "Dubois", "Rossi"),
)
TITLES: Final = (
    "CEO",
    "Managing Director",
    "managing director ",
    "Head of Facilities",
    "Property Manager",
    "Facility  Manager",
    "Dr.",
    "Einkäufer",
    "n/a",
    "VP, Sales & Marketing",
    "<b>Owner</b>",
    "-",
    "=SUM(A1:A9)",
)
TRADES: Final = (
    "Build",
    "Estates",
    "Solar",
    "Lettings",
    "Foods",
    "Logistics",
    "Labs",
    "Media",
    "Werke",
)
FORMS: Final = (
    " GmbH",
    " Ltd",
    " Ltd.",
    " LLC",
    " S.A.",
    " Sp. z o.o.",
    "",
    " AG & Co. KG",
    " K.K.",
)
INDUSTRIES: Final = ("REAL_ESTATE", "CONSTRUCTION", "RETAIL", "UTILITIES", "BANKING", "MACHINERY")
STAGES: Final = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "contractsent",
    "closedwon",
    "closedlost",
)
LIFECYCLES: Final = ("lead", "subscriber", "opportunity", "customer", "other")
NOISE: Final[tuple[Callable[[str], str], ...]] = (
    str.upper,
    str.lower,
    lambda text: f" {text}",
    lambda text: f"{text} ",
    lambda text: text.replace(" ", "  "),
    lambda text: f"{text}\u200b",
)
CLEAN_SHARE: Final = 0.85

Made = tuple[Mapping[str, str], int]
Thing = TypeVar("Thing")


class Maker:
    """All that is invented follows from seed and first id, in the order of the calls."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311  # repeatable, not secret
        self._makers: Mapping[str, Callable[[int], dict[str, str]]] = {
            "contacts": self._contact,
            "companies": self._company,
            "deals": self._deal,
        }

    def make(self, name: str, first: int, count: int) -> Iterator[Made]:
        make = self._makers[name]
        created = FIRST_CREATED
        for number in range(first, first + count):
            created += self._random.randrange(1, max(2, 2 * CREATED_SPAN // max(count, 1)))
            props = make(number)
            yield {key: value for key, value in props.items() if value}, created

    def pairs(self, near: Sequence[int], far: Sequence[int]) -> Iterator[tuple[int, int]]:
        """For three of four near ids one far id."""
        if far:
            for near_id in near:
                if self._random.random() < 0.75:
                    yield near_id, far[int(self._random.random() * len(far))]

    def _contact(self, number: int) -> dict[str, str]:
        random = self._random
        first, last = _pick(random, FIRST), _pick(random, LAST)
        code, countries, cities = _pick(random, PLACES)
        domain = f"{_pick(random, TRADES).lower()}{number % 997}.example"
        mail = f"{_plain(first)}.{_plain(last)}{number}@{domain}"
        return {
            "firstname": self._untidy(first),
            "lastname": self._untidy(last) if random.random() > 0.03 else "",
            "email": mail if random.random() > 0.06 else "",
            "phone": self._phone(code),
            "mobilephone": self._phone(code) if random.random() < 0.25 else "",
            "jobtitle": _pick(random, TITLES),
            "company": self._untidy(
                f"{_pick(random, TRADES)} {number % 997}{_pick(random, FORMS)}"
            ),
            "city": self._untidy(_pick(random, cities)),
            "country": _pick(random, countries),
            "zip": f"{random.randrange(100_000):05d}",
            "lifecyclestage": _pick(random, LIFECYCLES),
        }

    def _company(self, number: int) -> dict[str, str]:
        random = self._random
        code, countries, cities = _pick(random, PLACES)
        trade = _pick(random, TRADES)
        return {
            "name": self._untidy(f"{_pick(random, LAST)} {trade}{_pick(random, FORMS)}"),
            "domain": f"{trade.lower()}{number % 997}.example" if random.random() > 0.1 else "",
            "phone": self._phone(code),
            "city": self._untidy(_pick(random, cities)),
            "country": _pick(random, countries),
            "industry": _pick(random, INDUSTRIES),
            "numberofemployees": str(random.randrange(1, 5000)),
        }

    def _deal(self, number: int) -> dict[str, str]:
        random = self._random
        closing = FIRST_CREATED + random.randrange(2 * CREATED_SPAN)
        return {
            "dealname": self._untidy(f"{_pick(random, TRADES)} {_pick(random, LAST)} {number}"),
            "amount": f"{random.randrange(100, 9_000_000) / 100:.2f}",
            "pipeline": "default",
            "dealstage": _pick(random, STAGES),
            "closedate": iso(closing),
            "deal_currency_code": _pick(random, ("EUR", "GBP", "USD")),
        }

    def _untidy(self, text: str) -> str:
        if self._random.random() < CLEAN_SHARE:
            return text
        return _pick(self._random, NOISE)(text)

    def _phone(self, code: str) -> str:
        random = self._random
        digits = str(random.randrange(10**8, 10**9))
        kind = random.random()
        if kind < 0.5:
            return code + digits
        if kind < 0.7:
            return f"0{digits[:3]} {digits[3:6]}-{digits[6:]}"
        if kind < 0.85:
            return f"{code} (0) {digits[:2]} / {digits[2:]}"
        if kind < 0.93:
            return f"00{code[1:]}{digits} ext. {digits[:2]}"
        return "" if kind < 0.97 else "call me"


def _pick(random: Random, things: Sequence[Thing]) -> Thing:
    return things[int(random.random() * len(things))]


def _plain(name: str) -> str:
    kept = "".join(letter for letter in name.lower() if letter.isascii() and letter.isalpha())
    return kept or "person"
