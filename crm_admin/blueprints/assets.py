"""Serves stylesheet, script and icons compressed, under addresses that change with their
content."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, abort, current_app, request

from crm_admin import clock

LOOK_SECONDS: Final = 2
assets = Blueprint("assets", __name__)

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    packed: bytes
    digest: str
    mimetype: str


@lru_cache(maxsize=64)
def _read(path: Path, _stamp: int) -> Asset:
    body = path.read_bytes()
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(
        body=body,
        packed=gzip.compress(body, compresslevel=9, mtime=0),
        digest=hashlib.sha256(body).hexdigest()[:12],
        mimetype=TYPES.get(path.suffix, guessed),
    )


@lru_cache(maxsize=256)
def _find(name: str, folder: str, _moment: int) -> Asset | None:
    """Look a file up; a page names an icon a hundred times, so once in a while has to do."""
    root = Path(folder).resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        return None
    return _read(path, path.stat().st_mtime_ns)


def _present(name: str) -> Asset | None:
    moment = int(clock.monotonic() / LOOK_SECONDS)
    return _find(name, current_app.static_folder or "", moment)


def asset_url(name: str) -> str:
    """Return the address of a static file, or "" when it was not fetched at set-up."""
    found = _present(name)
    return f"/assets/{found.digest}/{quote(name)}" if found else ""


@assets.get("/assets/<digest>/<path:name>")
def file(digest: str, name: str) -> Response:
    """Answer with a static file; only its present digest may be kept by browsers."""
    found = _present(name)
    if found is None:
        abort(404)
    packs = request.accept_encodings["gzip"] > 0
    response = Response(found.packed if packs else found.body, content_type=found.mimetype)
    if packs:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    # An old digest gets today's file, but nobody may keep it under that address.
    known = digest == found.digest
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if known else "no-cache"
    )
    return response
