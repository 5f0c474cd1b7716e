"""Takes secrets and personal data out of texts before they are logged or stored."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "•••"
SHORTEST_SECRET = 6
MARGIN = 512

NAMES_OF_SECRETS = (
    r"(?:[\w-]*(?:token|secret|password|passwd|pwd|api[_-]?key|apikey|private[_-]?key|authorization"
    r"|credential|signature|assertion|cookie|session)[\w-]*|code|code_verifier|hapikey|jwt|pat)"
)
HINTS = (
    *("token", "secret", "passw", "pwd", "key", "authorization", "credential", "signature"),
    *("assertion", "cookie", "session", "code", "jwt", "pat", "bearer", "basic"),
)
"""Every name in the pattern above, and every scheme, holds one of these."""
IN_JSON = re.compile(
    rf'("{NAMES_OF_SECRETS}"\s*:\s*)("(?:[^"\\]|\\.)*"?|-?[\d.]+|\[[^\]]*\]?)', re.IGNORECASE
)
IN_FORM = re.compile(rf"((?:^|[?&;\s])({NAMES_OF_SECRETS})=)([^&;\s\"'<>]+)", re.IGNORECASE)
IN_HEADER = re.compile(rf"((?:^|\n)\s*{NAMES_OF_SECRETS}\s*:\s*)([^\r\n]+)", re.IGNORECASE)
SCHEME = re.compile(
    r"\b(Bearer|Basic|Token|Zoho-oauthtoken)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE
)
JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?")
VENDOR_TOKEN = re.compile(
    r"\b(?:pat-[a-z]{2,4}\d?-[0-9a-f-]{8,}|sk_[A-Za-z0-9_]{12,}|00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]+"
    r"|1000\.[0-9a-f]{32}\.[0-9a-f]{32})"
)
USER_IN_URL = re.compile(r"(://)[^/\s@\"']+@")
EMAIL = re.compile(r"(?<![\w.+%'-])([\w.+%'-])[\w.+%'-]*@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(
    r"(?<![\w.:+-])(?:(?:\+|00)\d[\d ().\-/]{5,20}\d|\(?0\d{1,5}\)?[ ./-]\d[\d ./-]{3,14}\d"
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?![\w-])"
)
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
ESCAPES = {"\r": "\\r", "\n": "\\n", "\t": "\\t"}


class Masker:
    """Masks the secrets it was told by value, and everything that looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {
            spelling
            for secret in secrets
            if len(secret) >= SHORTEST_SECRET
            for spelling in (secret, quote(secret, safe=""), quote_plus(secret))
        }
        ordered = sorted(spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """Return the text on one line, without secrets, e-mail addresses and phone numbers."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _without_secrets(text)
        if "@" in text:
            text = USER_IN_URL.sub(rf"\1{HIDDEN}@", text)
            text = EMAIL.sub(rf"\1{HIDDEN}@{HIDDEN}", text)
        text = PHONE.sub(HIDDEN, text)
        return one_line(text)

    def body(self, raw: bytes | None, limit: int) -> str:
        """Return the masked beginning of a body; what lies past the limit is never looked at."""
        if not raw:
            return ""
        # The margin keeps a secret that crosses the limit recognisable; it is dropped afterwards.
        text = self(raw[: limit + MARGIN].decode("utf-8", "replace"))
        if len(raw) > limit + MARGIN:
            text = text[:-MARGIN]
        return text if len(raw) <= limit else text[:limit] + "…"


def _without_secrets(text: str) -> str:
    """The text without what looks like a secret; the costly patterns run only where a hint is."""
    hints = text.lower()
    if any(hint in hints for hint in HINTS):
        text = IN_HEADER.sub(rf"\1{HIDDEN}", text)
        text = IN_JSON.sub(rf'\1"{HIDDEN}"', text)
        text = IN_FORM.sub(rf"\1{HIDDEN}", text)
        text = SCHEME.sub(rf"\1 {HIDDEN}", text)
    if "eyj" in hints:
        text = JWT.sub(HIDDEN, text)
    if any(start in hints for start in ("pat-", "sk_", "00d", "1000.")):
        text = VENDOR_TOKEN.sub(HIDDEN, text)
    return text


def one_line(text: str) -> str:
    """Return the text with line ends and control characters written out: it cannot fake a line."""
    return CONTROLS.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    letter = found.group()
    return ESCAPES.get(letter, f"\\u{ord(letter):04x}")
