"""The permission table, written out once more by hand."""

import pytest

from crm_admin.security.permissions import Permission, Role, is_allowed, permissions_of, roles_with

EXPECTED = {
    Role.VIEWER: {"record.read"},
    Role.POV_OWNER: {"record.read", "sync.record", "conflict.resolve"},
    Role.OPERATOR: {
        *("record.read", "record.edit", "sync.record", "sync.run", "plan.approve"),
        *("conflict.resolve", "import.run", "merge.run", "mapping.draft"),
    },
    Role.AUDITOR: {"record.read", "audit.read", "audit.export"},
    Role.ADMIN: {
        *("record.read", "record.edit", "sync.record", "sync.run", "plan.approve", "run.release"),
        *("conflict.resolve", "import.run", "merge.run", "mapping.draft", "mapping.publish"),
        *("schedule.edit", "connection.edit", "webhook.edit", "people.edit", "token.edit"),
        *("audit.read", "audit.export"),
    },
}


@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_the_design_says_and_nothing_else(role: Role) -> None:
    assert {str(one) for one in permissions_of(role)} == EXPECTED[role]


@pytest.mark.parametrize("permission", Permission)
def test_an_admin_may_do_everything(permission: Permission) -> None:
    assert is_allowed(Role.ADMIN, permission)


def test_releasing_a_guarded_run_is_for_admins_alone() -> None:
    assert roles_with(Permission.RUN_RELEASE) == (Role.ADMIN,)


def test_an_auditor_changes_nothing() -> None:
    assert not is_allowed(Role.AUDITOR, Permission.RECORD_EDIT)
    assert not is_allowed(Role.AUDITOR, Permission.SYNC_RECORD)
