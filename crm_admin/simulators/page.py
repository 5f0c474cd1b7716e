"""The page on which a person edits the simulated CRM's records."""

from crm_admin.simulators.crm import Crm
from crm_admin.simulators.store import Portal
from crm_admin.simulators.wire import Answer, Request, json_answer


def show(crm: Crm, portal: Portal, request: Request) -> Answer:
    return json_answer({"error": f"no page {request.path} of {crm.label} {portal.number}"}, 404)
