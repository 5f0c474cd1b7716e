"""The check that an address given by a browser stays on this site."""

import unicodedata
from urllib.parse import unquote, urlsplit

LONGEST = 2000
ROUNDS_OF_DECODING = 3


def local_path(text: str | None, default: str = "/") -> str:
    """Return the text when it is a plain path on this site, with query if any; else the default.

    Refused are other hosts in every disguise: schemes, double slashes and backslashes (also
    percent-encoded), control and blank characters, user information and fragments.
    """
    if not text or len(text) > LONGEST or not _is_plain(text):
        return default
    decoded = text
    for _ in range(ROUNDS_OF_DECODING):
        decoded = unquote(decoded.partition("?")[0])
        if not _is_plain(decoded):
            return default
    try:
        parts = urlsplit(text)
    except ValueError:
        return default
    if parts.scheme or parts.netloc or parts.fragment:
        return default
    return text


def _is_plain(text: str) -> bool:
    if not text.startswith("/") or "//" in text.partition("?")[0] or "\\" in text:
        return False
    if ".." in text.partition("?")[0].split("/"):
        return False
    return not any(_is_odd(letter) for letter in text)


def _is_odd(letter: str) -> bool:
    """Controls, blanks, and letters that some browsers fold into a slash, a dot or a colon."""
    if letter.isspace() or unicodedata.category(letter)[0] in "CZ":
        return True
    return ord(letter) > 127 and unicodedata.normalize("NFKC", letter) in {"/", "\\", ".", ":", "@"}
