"""Who acts on the command line: an admin of the organisation named, or of the only one."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import click

from crm_admin import tenancy
from crm_admin.errors import BadInput, CrmAdminError, NotFound
from crm_admin.services import organizations
from crm_admin.services.access import Person

P = ParamSpec("P")
R = TypeVar("R")

EXIT_FAILED, EXIT_BAD_INPUT = 1, 2


def organization_option(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the option that names the organisation."""
    return click.option("--organization", "organization", help="Slug; needed with several.")(
        command
    )


def json_option(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the option that ends its output with one line of JSON."""
    return click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")(
        command
    )


@contextmanager
def acting(organization: str | None) -> Iterator[Person]:
    """Act as the command line for an organisation inside the block."""
    person = organizations.command_line_person(organization)
    with tenancy.acting_for(person.organization_id):
        yield person


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """End a command whose input cannot be used with the sentence that says so, and exit code 2 or
    1.
    """

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (BadInput, NotFound) as error:
            _end(error.sentence, EXIT_BAD_INPUT)
        except CrmAdminError as error:
            _end(error.sentence, EXIT_FAILED)

    return guarded


def _end(sentence: str, code: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(code)


def say(value: object) -> None:
    """Print one line of JSON."""
    click.echo(json.dumps(value, default=str, ensure_ascii=False))
