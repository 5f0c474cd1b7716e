"""HubSpot's endpoints about the account itself: owners, pipelines, details and usage."""

from crm_admin.simulators.hubspot.calls import Call
from crm_admin.simulators.hubspot.errors import bad_request, not_found
from crm_admin.simulators.wire import Answer, as_int, json_answer

MAX_OWNERS = 500


def list_owners(call: Call) -> Answer:
    """One page of owners, those of an e-mail address where one is asked for; `after` is an owner's
    id.
    """
    request = call.request
    limit = as_int(request.arg("limit"), 100)
    if not 0 < limit <= MAX_OWNERS:
        raise bad_request(f"limit must be between 1 and {MAX_OWNERS}")
    archived = request.flag("archived")
    email = request.arg("email").casefold()
    after = as_int(request.arg("after"))
    found = [
        owner
        for owner in call.account.owners
        if owner.archived == archived
        and int(owner.id) > after
        and email in ("", owner.email.casefold())
    ]
    body: dict[str, object] = {"results": [owner.as_json() for owner in found[:limit]]}
    if len(found) > limit:
        body["paging"] = {"next": {"after": found[limit - 1].id, "link": ""}}
    return json_answer(body)


def read_owner(call: Call) -> Answer:
    """One owner, by its own id or by the id of its user."""
    for owner in call.account.owners:
        if call.rest["id"] in (owner.id, str(owner.user_id)):
            return json_answer(owner.as_json())
    raise not_found()


def list_pipelines(call: Call) -> Answer:
    """The pipelines of deals; other objects have none."""
    found = call.account.pipelines if call.object_name() == "deals" else ()
    return json_answer({"results": [each.as_json(order) for order, each in enumerate(found)]})


def read_pipeline(call: Call) -> Answer:
    """One pipeline of deals."""
    for order, pipeline in enumerate(call.account.pipelines):
        if pipeline.id == call.rest["id"] and call.object_name() == "deals":
            return json_answer(pipeline.as_json(order))
    raise not_found()


def details(call: Call) -> Answer:
    """What the account is."""
    return json_answer(call.account.details())


def usage(call: Call) -> Answer:
    """How many calls were made today."""
    return json_answer(call.account.usage_today())
