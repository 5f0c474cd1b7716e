"""What the sign-in pages take."""

from dataclasses import dataclass
from typing import Final

from wtforms import Form, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from crm_admin.config import Config, is_loopback
from crm_admin.security.passwords import LONGEST
from crm_admin.services.users import LONGEST_EMAIL


class PasswordForm(Form):  # type: ignore[misc]  # WTForms has no types
    """The password of somebody who is known already."""

    password = PasswordField(
        "Password", [InputRequired("Enter your password"), Length(max=LONGEST)]
    )
    next = HiddenField()


class SignInForm(PasswordForm):
    """E-mail and password."""

    email = StringField(
        "E-mail", [InputRequired("Enter your e-mail address"), Length(max=LONGEST_EMAIL)]
    )


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody to sign in as while trying things out."""

    role: str
    email: str


DEMO_PEOPLE: Final = (
    DemoPerson("Admin", "admin@demo.test"),
    DemoPerson("Operator", "operator@demo.test"),
    DemoPerson("POV owner", "owner@demo.test"),
    DemoPerson("Viewer", "viewer@demo.test"),
)


def demo_people(settings: Config) -> tuple[DemoPerson, ...]:
    """Return whom to offer: nobody unless this is a demo that only this machine can reach."""
    shown = settings.demo and settings.demo_password and is_loopback(settings.public_url)
    return DEMO_PEOPLE if shown else ()


def problems(form: Form) -> dict[str, str]:
    """Return the first problem of each field."""
    return {name: str(found[0]) for name, found in form.errors.items() if name and found}
