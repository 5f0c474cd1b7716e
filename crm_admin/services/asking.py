"""A person's question about a record, put in front of those who can help."""

from uuid import UUID

from crm_admin.errors import BadInput, NotFound
from crm_admin.services import record_scope
from crm_admin.services.access import Person
from crm_admin.services.attention import Item, raise_item
from crm_admin.services.sql import transaction

KIND = "request"
LONGEST = 500


def ask_admin(*, person: Person, record_id: UUID, question: str, url: str, standing: str) -> None:
    """Raise one open question per person and record in Needs you; asking again replaces its words.

    `standing` is what the page said when they asked, `url` the page's local address.
    """
    words = " ".join(question.split())
    if not words:
        raise BadInput("question", "Write what you need help with.")
    if len(words) > LONGEST:
        raise BadInput("question", f"Say it in {LONGEST} letters or fewer.")
    with transaction() as cursor:
        record_scope.require_record(cursor, person, record_id)
        row = cursor.execute("SELECT title FROM record WHERE id = %s", (record_id,)).fetchone()
        if row is None:
            raise NotFound("There is no such record.")
        title = row["title"] or "an untitled record"
        item = Item(
            KIND,
            f"{record_id}:{person.user_id}",
            f"{person.name} asks about {title}: “{words}” The page said: {standing}",
            {"label": "Open it", "url": url},
        )
        raise_item(cursor, person.organization_id, item)
