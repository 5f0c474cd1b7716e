"""The one table of what each role may do; everything not listed here is refused."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person is in an organisation."""

    VIEWER = "viewer"
    POV_OWNER = "pov_owner"
    OPERATOR = "operator"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """What can be allowed."""

    RECORD_READ = "record.read"
    RECORD_EDIT = "record.edit"
    SYNC_RECORD = "sync.record"
    SYNC_RUN = "sync.run"
    PLAN_APPROVE = "plan.approve"
    RUN_RELEASE = "run.release"
    CONFLICT_RESOLVE = "conflict.resolve"
    IMPORT_RUN = "import.run"
    MERGE_RUN = "merge.run"
    MAPPING_DRAFT = "mapping.draft"
    MAPPING_PUBLISH = "mapping.publish"
    SCHEDULE_EDIT = "schedule.edit"
    CONNECTION_EDIT = "connection.edit"
    WEBHOOK_EDIT = "webhook.edit"
    PEOPLE_EDIT = "people.edit"
    TOKEN_EDIT = "token.edit"  # noqa: S105 - the name of a permission, not a token
    AUDIT_READ = "audit.read"
    AUDIT_EXPORT = "audit.export"


VIEWER = frozenset({Permission.RECORD_READ})

POV_OWNER = VIEWER | {
    Permission.SYNC_RECORD,
    Permission.CONFLICT_RESOLVE,
}

OPERATOR = POV_OWNER | {
    Permission.RECORD_EDIT,
    Permission.SYNC_RUN,
    Permission.PLAN_APPROVE,
    Permission.IMPORT_RUN,
    Permission.MERGE_RUN,
    Permission.MAPPING_DRAFT,
}

TABLE: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: VIEWER,
    Role.POV_OWNER: POV_OWNER,
    Role.OPERATOR: OPERATOR,
    Role.ADMIN: frozenset(Permission),
    Role.AUDITOR: VIEWER | {Permission.AUDIT_READ, Permission.AUDIT_EXPORT},
}

OWN_POVS_ONLY = frozenset({Role.POV_OWNER})
"""Roles whose permissions hold for their own POVs; the queries narrow them down."""

FRESH_SIGN_IN = frozenset(
    {
        Permission.RUN_RELEASE,
        Permission.CONNECTION_EDIT,
        Permission.PEOPLE_EDIT,
        Permission.TOKEN_EDIT,
    }
)
"""Permissions whose use asks for the password again when the sign-in is not fresh."""


def permissions_of(role: Role) -> frozenset[Permission]:
    """Return everything the role may do."""
    return TABLE[role]


def is_allowed(role: Role, permission: Permission) -> bool:
    """Say whether the role holds the permission; on which records is decided by the queries."""
    return permission in TABLE[role]


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """Return who can grant or do this, for the sentence on a refusal page."""
    return tuple(role for role in Role if permission in TABLE[role])
