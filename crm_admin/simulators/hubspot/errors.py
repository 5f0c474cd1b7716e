"""HubSpot's refusals: one error class, and the bodies in which HubSpot says no."""

import uuid
from collections.abc import Mapping, Sequence

import orjson

from crm_admin.simulators.wire import Answer, json_answer


class ApiError(Exception):
    """A refused call or a refused row; `errors` are details as HubSpot lists them."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        errors: Sequence[Mapping[str, object]] = (),
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.errors = errors
        self.extra = extra or {}

    def body(self) -> dict[str, object]:
        body: dict[str, object] = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            **self.extra,
            "category": self.category,
        }
        if self.errors:
            body["errors"] = list(self.errors)
        return body

    def in_batch(self, context: Mapping[str, list[str]]) -> dict[str, object]:
        """The same refusal as one of `errors` in a multi-status answer."""
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": context,
            "errors": list(self.errors),
            "links": {},
        }

    def answer(self) -> Answer:
        return json_answer(self.body(), self.status)


def bad_request(message: str) -> ApiError:
    """The call is wrong as a whole."""
    return ApiError(400, "VALIDATION_ERROR", message)


def not_found(message: str = "resource not found") -> ApiError:
    """There is no such record or address."""
    return ApiError(404, "OBJECT_NOT_FOUND", message)


def detail(name: str, code: str, message: str) -> dict[str, object]:
    """One wrong property of a refused record."""
    return {"message": message, "code": code, "in": name, "context": {"propertyName": [name]}}


def invalid(details: Sequence[Mapping[str, object]]) -> ApiError:
    """Values of a record are wrong; the details say which."""
    listed = orjson.dumps(list(details)).decode()
    return ApiError(400, "VALIDATION_ERROR", f"Property values were not valid: {listed}", details)


def conflict(holder: int, object_label: str) -> ApiError:
    """A contact with this address exists."""
    text = f"{object_label.capitalize()} already exists. Existing ID: {holder}"
    return ApiError(409, "CONFLICT", text)


def value_taken(name: str, holder: int) -> ApiError:
    """A unique value is held by another record."""
    text = f"{name} must be unique; another record holds the value. Existing ID: {holder}"
    return invalid([{**detail(name, "CONFLICTING_UNIQUE_VALUE", text)}])


def not_authenticated() -> ApiError:
    """There is no token, or nobody knows it."""
    text = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
    return ApiError(401, "INVALID_AUTHENTICATION", text)


def token_expired(when: str) -> ApiError:
    """The token was good until the given moment."""
    text = "The OAuth token used to make this call expired 12 minute(s) ago."
    return ApiError(401, "EXPIRED_AUTHENTICATION", text, extra={"context": {"expire time": [when]}})


def missing_scopes(scopes: Sequence[str]) -> ApiError:
    """The token lacks one of these scopes."""
    missing = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    text = "This app hasn't been granted all required scopes to make this call."
    return ApiError(403, "MISSING_SCOPES", text, [missing])


POLICIES: Mapping[str, str] = {
    "SECONDLY": "You have reached your secondly limit.",
    "TEN_SECONDLY_ROLLING": "You have reached your ten_secondly_rolling limit.",
    "DAILY": "You have reached your daily limit.",
}


def too_many(policy: str) -> Answer:
    """A limit is reached; the policy says which."""
    body = {
        "status": "error",
        "message": POLICIES.get(policy, POLICIES["TEN_SECONDLY_ROLLING"]),
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid.uuid4()),
        "policyName": policy,
        "requestId": str(uuid.uuid4()),
    }
    return json_answer(body, 429)
