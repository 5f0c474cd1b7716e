"""A request to a CRM and its answer, as providers see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crm_admin.jsontypes import Json

RETRY_AFTER_CAP = 3600.0


@dataclass(frozen=True, slots=True)
class Request:
    """One call: path and query below the endpoint, JSON body as bytes; `bucket` names its limit."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    bucket: str = ""
    cost: int = 1
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `data` is the parsed body, null when there is none or it is no JSON.

    Header names are lower case. A 2xx answer with a body has been parsed, or there is no Answer.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    data: Json
    milliseconds: float
    request_id: str = ""

    @property
    def ok(self) -> bool:
        """Say whether the CRM did what was asked, as far as its status tells."""
        return 200 <= self.status < 300
