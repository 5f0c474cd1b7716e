"""Texts in one normal form, and the checks of texts that must be an address or a number to call."""

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from crm_admin.jsontypes import Json

LONGEST_STRING: Final = 65_536
LONGEST_TEXT: Final = 1_000_000
LONGEST_EMAIL: Final = 254
LONGEST_URL: Final = 2_048

_ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
EMAIL: Final = re.compile(
    rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}", re.ASCII
)
PHONE: Final = re.compile(
    r"[+(]*\d[\d\s().\-/\u2010-\u2015]*(?:\s*[,;]?\s*(?:ext\.?|extension|x|#)\s*\d{1,8})?",
    re.IGNORECASE,
)
HOST: Final = re.compile(r"(?:[\w-]{1,63}\.)+[\w-]{2,63}")


def text(value: Json, longest: int = LONGEST_TEXT) -> str:
    """Return composed text (NFC); numbers and truth values become theirs. ValueError when it cannot
    be kept.
    """
    if not isinstance(value, str):
        value = _as_text(value)
    if len(value) > longest:
        raise ValueError(f"This is longer than {longest:,} characters.")
    if value.isascii():
        if "\0" in value:
            raise ValueError("This contains a character that cannot be stored.")
        return value
    return _composed(value)


def _as_text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    raise ValueError("This is not text.")


def _composed(value: str) -> str:
    # A NUL or half a surrogate pair is accepted by JSON and refused by the database.
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("This contains a character that cannot be stored.") from error
    if "\0" in value:
        raise ValueError("This contains a character that cannot be stored.")
    return value if unicodedata.is_normalized("NFC", value) else unicodedata.normalize("NFC", value)


def email(value: Json) -> str:
    """Return an e-mail address in lower case; ValueError when it is none."""
    address = text(value, LONGEST_TEXT).strip().lower()
    if len(address) <= LONGEST_EMAIL and EMAIL.fullmatch(address):
        return address
    if address.isascii() or len(address) > LONGEST_EMAIL:
        raise ValueError(f"“{address[:60]}” is not an e-mail address.")
    try:
        return validate_email(address, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(f"“{address[:60]}” is not an e-mail address.") from error


def phone(value: Json) -> str:
    """Return a phone number as it was written, blanks tidied; ValueError when it cannot be one."""
    number = " ".join(text(value).split())
    digits = sum(letter.isdigit() for letter in number)
    if not 3 <= digits <= 25 or len(number) > 60 or not PHONE.fullmatch(number):
        raise ValueError(f"“{number[:60]}” is not a phone number.")
    return number


def url(value: Json) -> str:
    """Return a web address, with or without its scheme; ValueError for any other scheme than
    http(s).
    """
    address = text(value).strip()
    if len(address) > LONGEST_URL or any(letter.isspace() for letter in address):
        raise ValueError(f"“{address[:60]}” is not a web address.")
    host = host_of(address)
    if host is None:
        raise ValueError(f"“{address[:60]}” is not a web address.")
    return address


def host_of(address: str) -> str | None:
    """Return the lower-case host of a web address with or without scheme; None when it has none."""
    head = address.split("/", 1)[0]
    has_scheme = "://" in address or (":" in head and not head.rsplit(":", 1)[1].isdigit())
    try:
        parts = urlsplit(address if has_scheme else f"https://{address}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    known = parts.scheme in {"http", "https"} and HOST.fullmatch(host)
    return host if known else None
