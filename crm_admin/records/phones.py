"""Phone numbers as E.164, fast for the many that are written with their country code."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat

PUNCTUATION: Final = str.maketrans(
    "", "", " ()-./\t\u00a0\u2009\u202f\u2010\u2011\u2012\u2013\u2014\u2015"
)
EXTENSION: Final = re.compile(r"[ \t]*ext\.?[ \t]*\d{1,6}$", re.ASCII)
INTERNATIONAL: Final = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)

COUNTRIES: Final = {
    name: code
    for code, names in {
        "AE": "united arab emirates|uae",
        "AR": "argentina",
        "AT": "austria|österreich",
        "AU": "australia",
        "BE": "belgium|belgique|belgië|belgien",
        "BG": "bulgaria",
        "BR": "brazil|brasil",
        "CA": "canada",
        "CH": "switzerland|schweiz|suisse|svizzera",
        "CL": "chile",
        "CN": "china",
        "CO": "colombia",
        "CY": "cyprus",
        "CZ": "czechia|czech republic",
        "DE": "germany|deutschland",
        "DK": "denmark|danmark",
        "EE": "estonia",
        "EG": "egypt",
        "ES": "spain|españa",
        "FI": "finland|suomi",
        "FR": "france",
        "GB": "united kingdom|uk|great britain|england|scotland|wales|northern ireland",
        "GR": "greece",
        "HK": "hong kong",
        "HR": "croatia",
        "HU": "hungary",
        "ID": "indonesia",
        "IE": "ireland",
        "IL": "israel",
        "IN": "india",
        "IS": "iceland",
        "IT": "italy|italia",
        "JP": "japan",
        "KE": "kenya",
        "KR": "south korea|korea",
        "LT": "lithuania",
        "LU": "luxembourg",
        "LV": "latvia",
        "MA": "morocco",
        "MT": "malta",
        "MX": "mexico|méxico",
        "MY": "malaysia",
        "NG": "nigeria",
        "NL": "netherlands|the netherlands|nederland|holland",
        "NO": "norway|norge",
        "NZ": "new zealand",
        "PE": "peru",
        "PH": "philippines",
        "PK": "pakistan",
        "PL": "poland|polska",
        "PT": "portugal",
        "RO": "romania",
        "RS": "serbia",
        "SA": "saudi arabia",
        "SE": "sweden|sverige",
        "SG": "singapore",
        "SI": "slovenia",
        "SK": "slovakia",
        "TH": "thailand",
        "TR": "turkey|türkiye",
        "TW": "taiwan",
        "UA": "ukraine",
        "US": "united states|united states of america|usa|america",
        "VN": "vietnam",
        "ZA": "south africa",
    }.items()
    for name in names.split("|")
}


class _Home(NamedTuple):
    """How numbers are dialled within a country; `abroad` is what leads out of it, `local` are the
    lengths that work within a town only. A prefix that `rewrites` may do more than disappear.
    """

    code: str
    prefix: re.Pattern[str] | None
    rewrites: bool
    number: re.Pattern[str]
    abroad: re.Pattern[str]
    lengths: frozenset[int]
    local: frozenset[int]


class _Start(NamedTuple):
    """What the first digits of an international number say: the length of the country code, how
    numbers look there, and how they are dialled there.
    """

    length: int
    number: re.Pattern[str] | None
    prefix: re.Pattern[str] | None
    home: _Home | None


@lru_cache(maxsize=4096)
def region_of(country: str) -> str | None:
    """Return the two-letter region of a country's name or code; None when it is not known."""
    word = country.strip()
    if len(word) == 2 and word.upper() in phonenumbers.SUPPORTED_REGIONS:
        return word.upper()
    return COUNTRIES.get(word.casefold())


def e164(number: str, region: str | None = None) -> str | None:
    """Return a number as E.164; None when it is not a possible one, or names no country and none is
    given.
    """
    named = "+" in number or "\uff0b" in number
    if region is None and not named and number[:2] != "00":
        return None
    plain = number.translate(PUNCTUATION)
    abroad = plain.startswith("00")
    if abroad:
        plain = f"+{plain[2:]}"
    if INTERNATIONAL.fullmatch(plain):
        start = _start(plain[1:4])
        national = plain[1 + start.length :]
        if (
            start.number is not None
            and start.number.fullmatch(national)
            and not (start.prefix is not None and start.prefix.match(national))
        ):
            return plain
    if abroad and region is None and not named:
        # To the library these are digits of no country.
        return None
    return _guessed(number, plain, region, abroad=abroad)


def _guessed(number: str, plain: str, region: str | None, *, abroad: bool) -> str | None:
    """What the library would say, said without it where its rules leave no doubt."""
    home = _home(region) if region is not None else None
    if abroad and (home is None or home.abroad.pattern != "00"):
        return _by_library(number, region)
    known: str | None = None
    if "ext" in plain:
        plain = EXTENSION.sub("", number).translate(PUNCTUATION)
        plain = f"+{plain[2:]}" if abroad else plain
    if plain.startswith("+"):
        known = _in_full(plain)
    elif home is not None and plain.isascii() and plain.isdigit():
        known = _at_home(plain, home)
    return _by_library(number, region) if known is None else known or None


def _in_full(plain: str) -> str | None:
    """A number with its country code; "" when it is not a possible one, None when in doubt."""
    if not INTERNATIONAL.fullmatch(plain):
        return None
    home = _start(plain[1:4]).home
    return None if home is None else _settled(plain[1 + len(home.code) :], home)


def _at_home(digits: str, home: _Home) -> str | None:
    """A number as it is dialled within its country; "" when it is not a possible one, None when in
    doubt.
    """
    if digits.startswith(home.code) or home.abroad.match(digits):
        return None
    return _settled(digits, home)


def _settled(digits: str, home: _Home) -> str | None:
    main = _main(home.code)
    national = _without_prefix(digits, home)
    if main is None or national is None or len(national) in main.local or not national.strip("0"):
        return None
    return f"+{home.code}{national}" if len(national) in main.lengths else ""


def _without_prefix(digits: str, home: _Home) -> str | None:
    """The number without its trunk prefix, unless only with it it looks like one; None when the
    prefix rewrites the number.
    """
    found = home.prefix.match(digits) if home.prefix is not None else None
    if found is None:
        return digits
    if home.rewrites and (not found.groups() or found.groups()[-1] is not None):
        return None
    rest = digits[found.end() :]
    if home.number.fullmatch(digits) and not home.number.fullmatch(rest):
        return digits
    return rest if len(rest) in home.lengths or len(rest) > max(home.lengths) else digits


@lru_cache(maxsize=2048)
def _start(digits: str) -> _Start:
    """Look up the country code at the start of an international number, by its first three
    digits.
    """
    codes = [digits[:length] for length in (1, 2, 3)]
    code = next((one for one in codes if int(one) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), "")
    number, prefix = _plan(code) if code else (None, None)
    home = next((found for one in codes if (found := _main(one))), None)
    return _Start(len(code), number, prefix, home)


def _plan(code: str) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
    data = PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
    if data is None or data.general_desc is None or not data.general_desc.national_number_pattern:
        return None, None
    prefix = data.national_prefix_for_parsing
    return (
        re.compile(data.general_desc.national_number_pattern, re.ASCII),
        re.compile(prefix, re.ASCII) if prefix else None,
    )


@lru_cache(maxsize=2048)
def _main(country_code: str) -> _Home | None:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(country_code))
    return _home(regions[0]) if regions else None


@lru_cache(maxsize=512)
def _home(region: str) -> _Home | None:
    data = PhoneMetadata.metadata_for_region(region)
    if data is None or data.general_desc is None or not data.general_desc.national_number_pattern:
        return None
    prefix = data.national_prefix_for_parsing
    return _Home(
        str(data.country_code),
        re.compile(prefix, re.ASCII) if prefix else None,
        bool(data.national_prefix_transform_rule),
        re.compile(data.general_desc.national_number_pattern, re.ASCII),
        re.compile(data.international_prefix or "(?!)", re.ASCII),
        frozenset(data.general_desc.possible_length),
        frozenset(data.general_desc.possible_length_local_only),
    )


@lru_cache(maxsize=8192)
def _by_library(number: str, region: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(number[:60], region)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
