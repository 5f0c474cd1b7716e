"""Names and domains in the form two spellings of one share."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from crm_admin.records.texts import host_of

WORD: Final = re.compile(r"\w+")
SHORT: Final = 60
STROKES: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "þ": "th",
        "ð": "d",
        "'": "",
        "\u2019": "",
    }
)
HONORIFICS: Final = frozenset(
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "dame", "herr", "frau", "mme"]
)
COMPANY_FORMS: Final = frozenset(
    [
        "inc",
        "incorporated",
        "ltd",
        "limited",
        "llc",
        "llp",
        "lp",
        "plc",
        "corp",
        "corporation",
        "co",
        "company",
        "gmbh",
        "mbh",
        "ag",
        "kg",
        "ohg",
        "ug",
        "se",
        "eg",
        "ev",
        "sa",
        "sas",
        "sarl",
        "srl",
        "spa",
        "sl",
        "slu",
        "bv",
        "nv",
        "vof",
        "cv",
        "ab",
        "oy",
        "oyj",
        "as",
        "asa",
        "aps",
        "kft",
        "zrt",
        "doo",
        "sro",
        "spzoo",
        "pty",
        "pte",
        "pvt",
        "holding",
        "holdings",
        "group",
    ]
)
FREE_MAIL: Final = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "hotmail.co.uk",
        "hotmail.fr",
        "live.com",
        "live.co.uk",
        "msn.com",
        "yahoo.com",
        "yahoo.co.uk",
        "yahoo.fr",
        "yahoo.de",
        "yahoo.es",
        "yahoo.it",
        "ymail.com",
        "rocketmail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "proton.me",
        "protonmail.com",
        "pm.me",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "gmx.at",
        "gmx.ch",
        "web.de",
        "t-online.de",
        "freenet.de",
        "mail.com",
        "mail.ru",
        "yandex.com",
        "yandex.ru",
        "zoho.com",
        "fastmail.com",
        "hey.com",
        "tutanota.com",
        "tuta.io",
        "btinternet.com",
        "sky.com",
        "virginmedia.com",
        "talktalk.net",
        "ntlworld.com",
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "laposte.net",
        "sfr.fr",
        "libero.it",
        "virgilio.it",
        "tin.it",
        "alice.it",
        "wp.pl",
        "o2.pl",
        "onet.pl",
        "interia.pl",
        "seznam.cz",
        "comcast.net",
        "verizon.net",
        "att.net",
        "sbcglobal.net",
        "bellsouth.net",
        "cox.net",
        "charter.net",
        "shaw.ca",
        "rogers.com",
        "qq.com",
        "163.com",
        "126.com",
        "sina.com",
        "naver.com",
        "daum.net",
        "hanmail.net",
        "rediffmail.com",
        "bigpond.com",
        "uol.com.br",
        "bol.com.br",
    ]
)
SHARED_HOSTS: Final = frozenset(
    [
        "facebook.com",
        "linkedin.com",
        "instagram.com",
        "twitter.com",
        "x.com",
        "youtube.com",
        "github.com",
        "google.com",
        "sites.google.com",
        "linktr.ee",
        "wordpress.com",
        "blogspot.com",
        "medium.com",
        "etsy.com",
    ]
)


def plain_words(text: str) -> list[str]:
    """Return the words of a text without case, accents and punctuation."""
    return list(_words(text)) if len(text) <= SHORT else list(_split(text))


@lru_cache(maxsize=16_384)
def _words(text: str) -> tuple[str, ...]:
    """Names of people and towns come again and again."""
    return _split(text)


def _split(text: str) -> tuple[str, ...]:
    if text.isascii():
        plain = text.lower().replace("'", "")
        words = plain.split()
        return tuple(words if "".join(words).isalnum() else WORD.findall(plain))
    folded = text.casefold().translate(STROKES)
    if not folded.isascii():
        parts = unicodedata.normalize("NFKD", folded)
        folded = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return tuple(WORD.findall(folded))


def person_name(*parts: str) -> str:
    """Return a person's name with its words in order of the alphabet, so that swapped parts
    meet. A name may be given in parts, a first and a last name for instance.
    """
    words: list[str] = []
    for part in parts:
        words += _words(part) if len(part) <= SHORT else _split(part)
    return " ".join(sorted([word for word in words if word not in HONORIFICS]))


def company_name(text: str) -> str:
    """Return a company's name without article and legal form."""
    words = plain_words(text)
    while len(words) > 1 and words[-1] in COMPANY_FORMS:
        words.pop()
    if len(words) > 1 and words[0] == "the":
        words.pop(0)
    return " ".join(words)


def domain(text: str) -> str | None:
    """Return the company's domain in a web or e-mail address; None for free mail and shared
    hosts.
    """
    address = text.strip().lower()
    host = host_of(address.rsplit("@", 1)[1] if "@" in address else address)
    if host is None:
        return None
    host = host.removeprefix("www.")
    return None if host in FREE_MAIL or host in SHARED_HOSTS else host
