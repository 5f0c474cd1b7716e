"""Credentials as the headers of a call."""

from collections.abc import Mapping

from crm_admin.errors import NeedsAttention


def bearer(token: str) -> Mapping[str, str]:
    """Return the header of a bearer token; a token that could not stand in a header is refused."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NeedsAttention("The access token holds characters no token has. Copy it again.")
    return {"Authorization": f"Bearer {token}"}
