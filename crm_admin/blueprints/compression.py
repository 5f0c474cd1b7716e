"""Sends pages compressed, but only to pages and people of our own.

Whoever can make a browser ask us again and again and measures the answers may guess what stands in
them. Another site's requests are therefore answered uncompressed, and browsers say which those are.
"""

import secrets
import zlib
from typing import Final

from flask import Flask, Response, request

LEAST: Final = 1_400
"""What fits into one packet is not worth the trouble."""
LEVEL: Final = 4
GZIP: Final = 31
"""zlib's number for the format browsers call gzip."""
PACKED: Final = frozenset({"text/html", "application/json", "text/csv", "text/plain"})
OWN: Final = frozenset({"same-origin", "none"})
MOST_PADDING: Final = 24


def install(app: Flask) -> None:
    """Compress what is left when all others have had their say."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.mimetype in PACKED:
        response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    if not _is_worth_it(response) or not _is_asked_for():
        return response
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    response.set_data(packer.compress(response.get_data()) + packer.flush())
    response.headers["Content-Encoding"] = "gzip"
    # The length tells a little less of what is inside.
    response.headers["X-Padding"] = "x" * (1 + secrets.randbelow(MOST_PADDING))
    return response


def _is_worth_it(response: Response) -> bool:
    return (
        response.mimetype in PACKED
        and not response.is_streamed
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and (response.content_length or 0) >= LEAST
    )


def _is_asked_for() -> bool:
    return (
        request.headers.get("Sec-Fetch-Site") in OWN
        and request.accept_encodings["gzip"] > 0
        and request.method != "HEAD"
    )
