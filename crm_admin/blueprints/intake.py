"""What no request may bring: a NUL, which nobody types and PostgreSQL keeps in no text."""

from flask import Flask, abort, request

NUL = "\x00"


def install(app: Flask) -> None:
    """Refuse requests that hold a NUL before a view reads them."""
    app.before_request(_refuse_nul)


def _refuse_nul() -> None:
    sent = [*request.args.items(multi=True), *request.form.items(multi=True)]
    if NUL in request.path or any(NUL in name or NUL in value for name, value in sent):
        abort(400)
