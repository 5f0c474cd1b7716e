"""The ways in and out; what is typed here is never shown or kept."""

from uuid import UUID

from flask import Blueprint, Response, flash, request, url_for

from crm_admin.blueprints.access import current_person, requires_sign_in, signed_in
from crm_admin.blueprints.auth.forms import (
    PasswordForm,
    SignInForm,
    demo_people,
    problems,
)
from crm_admin.blueprints.browser import browser_session, settings
from crm_admin.blueprints.rendering import page, see_other
from crm_admin.errors import NotFound
from crm_admin.security.addresses import local_path
from crm_admin.services import organizations, sessions, users
from crm_admin.services import sign_in as service

auth = Blueprint("auth", __name__)

WRONG = "This e-mail and password do not match."


@auth.get("/sign-in")
def sign_in() -> Response:
    asked = local_path(request.args.get("next"))
    if current_person() is not None:
        return see_other(asked)
    return _form(SignInForm(data={"next": asked, "email": _offered()}))


@auth.post("/sign-in")
def check_sign_in() -> Response:
    form = SignInForm(request.form)
    if not form.validate():
        return _form(form, status=422)
    outcome = service.sign_in(
        email=form.email.data or "",
        password=form.password.data or "",
        address=request.remote_addr or "",
        agent=request.user_agent.string,
    )
    if isinstance(outcome, service.Refused):
        return _refused(form, outcome)
    browser = browser_session()
    if browser.found is not None:
        sessions.end(browser.token)
    browser.renew(outcome.token)
    asked = local_path(form.next.data)
    return see_other(url_for(".places", next=asked) if outcome.places > 1 else asked)


@auth.post("/sign-out")
def sign_out() -> Response:
    browser = browser_session()
    sessions.end(browser.token)
    browser.leave()
    return see_other(url_for(".sign_in", out=1))


@auth.get("/sign-in/again")
@requires_sign_in
def again() -> Response:
    form = PasswordForm(data={"next": local_path(request.args.get("next"))})
    return page("auth/again.html", form=form, errors={}, person=signed_in())


@auth.post("/sign-in/again")
@requires_sign_in
def check_again() -> Response:
    form, person, browser = PasswordForm(request.form), signed_in(), browser_session()
    errors = {} if form.validate() else problems(form)
    if not errors:
        outcome = service.prove(
            person=person,
            token=browser.token,
            password=form.password.data or "",
            address=request.remote_addr or "",
        )
        if isinstance(outcome, str):
            browser.renew(outcome)
            return see_other(local_path(form.next.data))
        errors = {"password": _sentence(outcome, "This is not your password. Enter it again.")}
    return page("auth/again.html", status=422, form=form, errors=errors, person=person)


@auth.get("/organizations")
@requires_sign_in
def places() -> Response:
    person = signed_in()
    return page(
        "auth/places.html",
        person=person,
        places=users.places_of(person.user_id),
        asked=local_path(request.args.get("next")),
    )


@auth.post("/organizations/<uuid:organization_id>")
@requires_sign_in
def choose(organization_id: UUID) -> Response:
    person, browser = signed_in(), browser_session()
    if organization_id != person.organization_id:
        token = service.switch(person=person, token=browser.token, organization_id=organization_id)
        if token is None:
            raise NotFound
        browser.renew(token)
    return see_other(local_path(request.form.get("next")))


@auth.post("/sign-out/everywhere")
@requires_sign_in
def sign_out_everywhere() -> Response:
    ended = sessions.end_all(signed_in().user_id, but=browser_session().token)
    flash(f"Signed out of {ended} other browser{'' if ended == 1 else 's'}.", "success")
    return see_other(local_path(request.form.get("next")))


def _offered() -> str:
    """The address of the demo person that was picked, the first one to begin with."""
    people = demo_people(settings())
    picked = request.args.get("as", "")
    emails = [person.email for person in people]
    return picked if picked in emails else (emails[0] if emails else "")


def _refused(form: SignInForm, outcome: service.Refused) -> Response:
    response = _form(
        form,
        status=429 if outcome.wait_seconds else 422,
        trouble=_sentence(outcome, WRONG),
    )
    if outcome.wait_seconds:
        response.headers["Retry-After"] = str(outcome.wait_seconds)
    return response


def _sentence(outcome: service.Refused, wrong: str) -> str:
    wait = outcome.wait_seconds
    if not wait:
        return wrong
    said = f"{wait} second{'' if wait == 1 else 's'}" if wait < 120 else f"{wait // 60} minutes"
    return f"Too many tries. Wait {said}, then try again."


def _form(form: SignInForm, *, status: int = 200, trouble: str = "") -> Response:
    people = demo_people(settings())
    only = organizations.only_one()
    return page(
        "auth/sign_in.html",
        status=status,
        form=form,
        errors=problems(form),
        trouble=trouble,
        place=only.name if only else "CRM Admin",
        people=people,
        password=settings().demo_password if people else "",
        out=request.args.get("out") == "1",
    )
