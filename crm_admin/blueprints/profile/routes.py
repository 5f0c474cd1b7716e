"""Doors of the profile."""

from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from crm_admin.blueprints.access import current_person, requires_sign_in, signed_in
from crm_admin.blueprints.browser import browser_session
from crm_admin.blueprints.forms import text
from crm_admin.blueprints.rendering import done, page
from crm_admin.blueprints.wording import _
from crm_admin.errors import BadInput
from crm_admin.services import preferences, sessions
from crm_admin.services.queries import look as query
from crm_admin.services.queries.look import Look

profile = Blueprint("profile", __name__, url_prefix="/profile")

HERE = "/profile"


@profile.get("")
@requires_sign_in
def index() -> Response:
    return _shown(query.look(signed_in()), {})


@profile.post("")
@requires_sign_in
def save() -> Response:
    usual = query.look(signed_in()).usual_zone
    chosen = Look(text("zone"), usual, text("theme"), text("density"), keys=text("keys") == "1")
    try:
        preferences.set_look(
            person=signed_in(),
            zone=chosen.zone,
            theme=chosen.theme,
            density=chosen.density,
            keys=chosen.keys,
        )
    except BadInput as error:
        return _shown(chosen, {error.field: error.sentence}, status=422)
    return done(HERE, _("Saved how pages look for you."))


def _shown(look: Look, errors: dict[str, str], status: int = 200) -> Response:
    found = browser_session().found
    return page(
        "profile/index.html",
        status=status,
        look=look,
        errors=errors,
        zones=query.zones(),
        sign_ins=sessions.sign_ins(signed_in().user_id),
        this=found.id_hash if found else "",
        here=HERE,
    )


@profile.app_context_processor
def _keys() -> dict[str, Any]:
    """Let the frame of every page say whether single keys work."""
    return {"keys_on": _keys_on}


def _keys_on() -> bool:
    person = current_person()
    return person is not None and query.keys_on(person)
