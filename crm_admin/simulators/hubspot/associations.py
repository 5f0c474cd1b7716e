"""HubSpot's association endpoints: single, default and in batches, with both ends kept in step."""

from crm_admin.simulators.clock import iso
from crm_admin.simulators.hubspot.association_types import PLAIN, known_types, label_of
from crm_admin.simulators.hubspot.calls import Call, known_object
from crm_admin.simulators.hubspot.errors import ApiError, bad_request, not_found
from crm_admin.simulators.hubspot.linking import remove_types, set_types
from crm_admin.simulators.hubspot.schema import ID_OF_TYPE, SINGULAR
from crm_admin.simulators.hubspot.shapes import living_links
from crm_admin.simulators.links import End
from crm_admin.simulators.truth import By
from crm_admin.simulators.wire import Answer, as_int, as_list, as_map, as_text, json_answer

MAX_READ = 1_000
MAX_CREATE = 2_000
MAX_ARCHIVE = 100
PAGE = 500


def set_default(call: Call) -> Answer:
    """The two records are associated without a label."""
    near, far = _ends(call)
    default = _default_types(near[0], far[0])
    set_types(call.portal, near, far, default, By.API)
    results = [_default_result(near, far), _default_result(far, near)]
    return json_answer({"status": "COMPLETE", "results": results, **_times(call)})


def set_labelled(call: Call) -> Answer:
    """The two records have the given association types beside those they had."""
    near, far = _ends(call)
    types = _types(near[0], far[0], as_list(call.request.loaded()))
    set_types(call.portal, near, far, types, By.API)
    return json_answer(_pair(call, near, far), 201)


def remove(call: Call) -> Answer:
    """The two records are no longer associated in any way."""
    near, far = _ends(call)
    remove_types(call.portal, near, far, None, By.API)
    return Answer(status=204)


def list_of(call: Call) -> Answer:
    """One page of up to 500 links; `after` is the number of links already read."""
    near = _end(call, known_object(call.rest["from"]), call.rest["id"])
    far_object = known_object(call.rest["to"])
    linked = living_links(call.portal, near, far_object)
    limit = min(as_int(call.request.arg("limit"), PAGE), PAGE)
    after = as_int(call.request.arg("after"))
    body: dict[str, object] = {"results": [_to(*pair) for pair in linked[after : after + limit]]}
    if after + limit < len(linked):
        body["paging"] = {"next": {"after": str(after + limit), "link": ""}}
    return json_answer(body)


def batch_read(call: Call) -> Answer:
    """The links of up to 1,000 records; those without any are named as errors."""
    near_object, far_object = _objects(call)
    results: list[dict[str, object]] = []
    missing = []
    for given in call.inputs(MAX_READ):
        row = call.portal.table(near_object).find(as_int(given.get("id"), -1))
        linked = [] if row is None else living_links(call.portal, (near_object, row.id), far_object)
        if not linked:
            missing.append(as_text(given.get("id")))
            continue
        found = [_to(*pair) for pair in linked]
        results.append({"from": {"id": as_text(given.get("id"))}, "to": found})
    errors = [_no_links(near_object, far_object, text) for text in missing]
    return _batch_answer(call, results, errors, 200)


def batch_create(call: Call) -> Answer:
    """Up to 2,000 pairs are associated by their types; bad pairs are named as errors."""
    return _batch_link(call, default=False)


def batch_default(call: Call) -> Answer:
    """Up to 2,000 pairs are associated without a label."""
    return _batch_link(call, default=True)


def batch_archive(call: Call) -> Answer:
    """The pairs are no longer associated; unknown ones are passed over."""
    near_object, far_object = _objects(call)
    for given in call.inputs(MAX_ARCHIVE):
        near_id = as_int(as_map(given.get("from")).get("id"), -1)
        for each in as_list(given.get("to")):
            far_id = as_int(as_map(each).get("id"), -1)
            remove_types(call.portal, (near_object, near_id), (far_object, far_id), None, By.API)
    return Answer(status=204)


def batch_labels_archive(call: Call) -> Answer:
    """The pairs lose the named types and keep the others."""
    near_object, far_object = _objects(call)
    for given in call.inputs(MAX_ARCHIVE):
        near = _end(call, near_object, as_text(as_map(given.get("from")).get("id")))
        far = _end(call, far_object, as_text(as_map(given.get("to")).get("id")))
        types = _types(near_object, far_object, as_list(given.get("types")))
        remove_types(call.portal, near, far, types, By.API)
    return Answer(status=204)


def labels(call: Call) -> Answer:
    """The types by which two objects can be associated."""
    near_object, far_object = _objects(call)
    found = sorted(known_types(near_object, far_object))
    return json_answer({"results": [_type(type_id) for type_id in found]})


def _batch_link(call: Call, *, default: bool) -> Answer:
    near_object, far_object = _objects(call)
    results: list[dict[str, object]] = []
    errors = []
    for given in call.inputs(MAX_CREATE):
        ids = [as_text(as_map(given.get(end)).get("id")) for end in ("from", "to")]
        try:
            near = _end(call, near_object, ids[0])
            far = _end(call, far_object, ids[1])
            wanted = as_list(given.get("types"))
            plain = default or not wanted
            types = (
                _default_types(near_object, far_object)
                if plain
                else _types(near_object, far_object, wanted)
            )
        except ApiError as refused:
            errors.append(refused.in_batch({"fromObjectId": [ids[0]], "toObjectId": [ids[1]]}))
            continue
        set_types(call.portal, near, far, types, By.API)
        results.append(_default_result(near, far) if default else _pair(call, near, far))
    return _batch_answer(call, results, errors, 200 if default else 201)


def _batch_answer(
    call: Call, results: list[dict[str, object]], errors: list[dict[str, object]], status: int
) -> Answer:
    if call.account.settings.shuffle:
        call.shuffler.shuffle(results)
    body: dict[str, object] = {"status": "COMPLETE", "results": results, **_times(call)}
    if not errors:
        return json_answer(body, status)
    body |= {"numErrors": len(errors), "errors": errors}
    return json_answer(body, 207 if call.account.settings.multi_status else status)


def _objects(call: Call) -> tuple[str, str]:
    return known_object(call.rest["from"]), known_object(call.rest["to"])


def _ends(call: Call) -> tuple[End, End]:
    near_object, far_object = _objects(call)
    return _end(call, near_object, call.rest["id"]), _end(call, far_object, call.rest["to_id"])


def _end(call: Call, object_name: str, text: str) -> End:
    row = call.portal.table(object_name).find(as_int(text, -1))
    if row is None or row.archived is not None:
        raise not_found(f"No {SINGULAR[object_name]} with id {text} exists")
    return object_name, row.id


def _types(near: str, far: str, given: list[object]) -> frozenset[int]:
    found = frozenset(as_int(as_map(each).get("associationTypeId")) for each in given)
    if not found or not found <= known_types(near, far):
        raise bad_request(f"Invalid association types {sorted(found)} from {near} to {far}")
    return found


def _default_types(near: str, far: str) -> frozenset[int]:
    if (near, far) not in PLAIN:
        raise bad_request(f"{near} and {far} cannot be associated")
    return frozenset({PLAIN[near, far]})


def _type(type_id: int) -> dict[str, object]:
    return {"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": label_of(type_id)}


def _to(far_id: int, types: frozenset[int]) -> dict[str, object]:
    return {"toObjectId": str(far_id), "associationTypes": [_type(each) for each in sorted(types)]}


def _pair(call: Call, near: End, far: End) -> dict[str, object]:
    found = (label_of(type_id) for type_id in sorted(call.portal.links.types(near, far)))
    return {
        "fromObjectTypeId": ID_OF_TYPE[near[0]],
        "fromObjectId": str(near[1]),
        "toObjectTypeId": ID_OF_TYPE[far[0]],
        "toObjectId": str(far[1]),
        "labels": [label for label in found if label],
    }


def _default_result(near: End, far: End) -> dict[str, object]:
    return {
        "from": {"id": str(near[1])},
        "to": {"id": str(far[1])},
        "associationSpec": {
            "associationCategory": "HUBSPOT_DEFINED",
            "associationTypeId": PLAIN[near[0], far[0]],
        },
    }


def _no_links(near: str, far: str, text: str) -> dict[str, object]:
    message = f"No {SINGULAR[near]} is associated with {SINGULAR[far]}."
    error = ApiError(
        404,
        "OBJECT_NOT_FOUND",
        message,
        extra={"subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"},
    )
    return {**error.in_batch({"fromObjectId": [text]}), **error.extra}


def _times(call: Call) -> dict[str, object]:
    now = iso(call.portal.clock.now_ms())
    return {"startedAt": now, "completedAt": now}
