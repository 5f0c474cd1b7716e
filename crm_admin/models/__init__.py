"""Every table; importing this room makes all of them known to migrations."""

from crm_admin.models.api_call import ApiCall
from crm_admin.models.audit_event import AuditEvent
from crm_admin.models.base import Base
from crm_admin.models.conflict import Conflict
from crm_admin.models.connection import Connection, OauthToken, RemotePerson, RemoteSchema
from crm_admin.models.duplicate import Duplicate
from crm_admin.models.effect import Effect
from crm_admin.models.guards import IdempotencyKey, OauthState, Usage
from crm_admin.models.import_job import File, ImportJob, ImportRow
from crm_admin.models.link import Link, LinkAlias
from crm_admin.models.mapping import FieldRule, MappingTemplate, MappingVersion
from crm_admin.models.notification import Delivery, NotificationRule, OutgoingWebhook
from crm_admin.models.operation import Operation
from crm_admin.models.outbox import Outbox, Wanted
from crm_admin.models.personal import Preference, SavedView, Share
from crm_admin.models.record import FieldDef, Record, RecordKey, RecordValue, Reference
from crm_admin.models.schedule import Attention, NeedMark, Schedule
from crm_admin.models.stream import Stream
from crm_admin.models.sync_run import SyncRun
from crm_admin.models.webhook import WebhookEvent, WebhookSubscription
from crm_admin.models.world import (
    ApiToken,
    AppUser,
    Membership,
    Organization,
    Process,
    Session,
    SignInAttempt,
    WebhookRoute,
)

__all__ = [
    "ApiCall",
    "ApiToken",
    "AppUser",
    "Attention",
    "AuditEvent",
    "Base",
    "Conflict",
    "Connection",
    "Delivery",
    "Duplicate",
    "Effect",
    "FieldDef",
    "FieldRule",
    "File",
    "IdempotencyKey",
    "ImportJob",
    "ImportRow",
    "Link",
    "LinkAlias",
    "MappingTemplate",
    "MappingVersion",
    "Membership",
    "NeedMark",
    "NotificationRule",
    "OauthState",
    "OauthToken",
    "Operation",
    "Organization",
    "Outbox",
    "OutgoingWebhook",
    "Preference",
    "Process",
    "Record",
    "RecordKey",
    "RecordValue",
    "Reference",
    "RemotePerson",
    "RemoteSchema",
    "SavedView",
    "Schedule",
    "Session",
    "Share",
    "SignInAttempt",
    "Stream",
    "SyncRun",
    "Usage",
    "Wanted",
    "WebhookEvent",
    "WebhookRoute",
    "WebhookSubscription",
]
