-- Every table, in the order in which they refer to each other.

CREATE TABLE api_call (
    organization_id uuid NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    run_id uuid,
    method text NOT NULL,
    path text NOT NULL,
    status integer,
    ms integer DEFAULT 0 NOT NULL,
    request_id text,
    sent_bytes bigint,
    received_bytes bigint,
    request_body text,
    answer_body text,
    error text,
    rank text,
    CONSTRAINT pk_api_call PRIMARY KEY (organization_id, at, id)
) PARTITION BY RANGE (at);
CREATE INDEX ix_api_call_connection ON api_call (organization_id, connection_id, at DESC);
CREATE INDEX ix_api_call_run ON api_call (organization_id, run_id, at DESC);

CREATE TABLE app_user (
    id uuid NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    name text NOT NULL,
    password_hash text,
    disabled_at timestamptz,
    zone text,
    theme text DEFAULT 'system' NOT NULL,
    density text DEFAULT 'compact' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    last_seen_at timestamptz,
    CONSTRAINT pk_app_user PRIMARY KEY (id),
    CONSTRAINT ck_app_user_theme CHECK (theme IN ('system', 'light', 'dark')),
    CONSTRAINT ck_app_user_density CHECK (density IN ('compact', 'comfortable')),
    CONSTRAINT uq_app_user_email_key UNIQUE (email_key)
);

CREATE TABLE operation (
    organization_id uuid NOT NULL,
    run_at timestamptz NOT NULL,
    id uuid NOT NULL,
    run_id uuid,
    record_id uuid,
    link_id uuid,
    stream_id uuid,
    remote_object text,
    remote_id text,
    side text NOT NULL,
    action text NOT NULL,
    fields jsonb DEFAULT '{}' NOT NULL,
    inputs jsonb DEFAULT '{}' NOT NULL,
    bases jsonb,
    label text,
    reason text,
    reason_code text,
    state text NOT NULL,
    excluded boolean DEFAULT false NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    error text,
    error_code text,
    error_field text,
    actor text,
    at timestamptz DEFAULT now() NOT NULL,
    done_at timestamptz,
    CONSTRAINT pk_operation PRIMARY KEY (organization_id, run_at, id),
    CONSTRAINT ck_operation_side CHECK (side IN ('ours', 'theirs')),
    CONSTRAINT ck_operation_action CHECK (action IN ('create', 'update', 'delete', 'link', 'associate', 'property', 'match', 'skip', 'conflict', 'agree')),
    CONSTRAINT ck_operation_state CHECK (state IN ('planned', 'sending', 'done', 'failed', 'skipped', 'undone'))
) PARTITION BY RANGE (run_at);
CREATE INDEX ix_operation_organization_id_run_id_action_state
    ON operation (organization_id, run_id, action, state);
CREATE INDEX ix_operation_organization_id_run_id_run_at_id
    ON operation (organization_id, run_id, run_at, id);
CREATE INDEX ix_operation_record ON operation (organization_id, record_id, at DESC);

CREATE TABLE organization (
    id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    zone text DEFAULT 'UTC' NOT NULL,
    demo boolean DEFAULT false NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_organization PRIMARY KEY (id),
    CONSTRAINT uq_organization_slug UNIQUE (slug)
);

CREATE TABLE process (
    name text NOT NULL,
    kind text NOT NULL,
    pid integer NOT NULL,
    host text NOT NULL,
    started_at timestamptz DEFAULT now() NOT NULL,
    seen_at timestamptz DEFAULT now() NOT NULL,
    info jsonb DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_process PRIMARY KEY (name)
);

CREATE TABLE sign_in_attempt (
    key text NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    last_at timestamptz DEFAULT now() NOT NULL,
    until timestamptz,
    succeeded_at timestamptz,
    CONSTRAINT pk_sign_in_attempt PRIMARY KEY (key)
);
CREATE INDEX ix_sign_in_attempt_last_at ON sign_in_attempt (last_at);

CREATE TABLE api_token (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    token_hash text NOT NULL,
    hint text NOT NULL,
    scopes text[] DEFAULT '{}' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT pk_api_token PRIMARY KEY (id),
    CONSTRAINT fk_api_token_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT fk_api_token_user_id FOREIGN KEY (user_id)
        REFERENCES app_user (id) ON DELETE CASCADE,
    CONSTRAINT uq_api_token_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_api_token_organization_id_user_id ON api_token (organization_id, user_id);

CREATE TABLE attention (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    sentence text NOT NULL,
    fix jsonb,
    count integer DEFAULT 1 NOT NULL,
    first_at timestamptz DEFAULT now() NOT NULL,
    last_at timestamptz DEFAULT now() NOT NULL,
    state text DEFAULT 'open' NOT NULL,
    snoozed_until timestamptz,
    assigned_to uuid,
    CONSTRAINT pk_attention PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_attention_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT uq_attention_organization_id_kind_subject UNIQUE (organization_id, kind, subject),
    CONSTRAINT ck_attention_state CHECK (state IN ('open', 'done', 'dismissed'))
);
CREATE INDEX ix_attention_state ON attention (organization_id, state, last_at DESC);

CREATE TABLE audit_event (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    actor_id uuid,
    actor_name text,
    action text NOT NULL,
    object_type text NOT NULL,
    object_id text,
    before jsonb,
    after jsonb,
    address text,
    request_id text,
    sealed_as bigint,
    seal text,
    CONSTRAINT pk_audit_event PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_audit_event_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE
);
CREATE INDEX ix_audit_event_newest ON audit_event (organization_id, at DESC, id DESC);
CREATE INDEX ix_audit_event_object ON audit_event (organization_id, object_type, object_id);
CREATE UNIQUE INDEX uq_audit_event_sealed_as ON audit_event (organization_id, sealed_as);

CREATE TABLE connection (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    environment text NOT NULL,
    endpoint text DEFAULT '' NOT NULL,
    credentials jsonb DEFAULT '{}' NOT NULL,
    credential_hints jsonb DEFAULT '{}' NOT NULL,
    settings jsonb DEFAULT '{}' NOT NULL,
    account jsonb DEFAULT '{}' NOT NULL,
    stance text DEFAULT 'observe' NOT NULL,
    health text DEFAULT 'ok' NOT NULL,
    health_reason text,
    health_at timestamptz,
    priority integer DEFAULT 100 NOT NULL,
    limits jsonb DEFAULT '{}' NOT NULL,
    marker text DEFAULT 'unknown' NOT NULL,
    clock_offset float8,
    checks jsonb DEFAULT '{}' NOT NULL,
    created_by uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT pk_connection PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_connection_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT uq_connection_organization_id_name_key UNIQUE (organization_id, name_key),
    CONSTRAINT ck_connection_environment CHECK (environment IN ('production', 'sandbox', 'simulator')),
    CONSTRAINT ck_connection_stance CHECK (stance IN ('observe', 'active', 'paused')),
    CONSTRAINT ck_connection_health CHECK (health IN ('ok', 'needs_reconnect', 'broken', 'disconnected')),
    CONSTRAINT ck_connection_marker CHECK (marker IN ('unknown', 'present', 'denied', 'absent'))
);

CREATE TABLE field_def (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    label text NOT NULL,
    type text NOT NULL,
    required boolean DEFAULT false NOT NULL,
    filterable boolean DEFAULT false NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    options jsonb DEFAULT '[]' NOT NULL,
    default_value jsonb,
    position integer DEFAULT 0 NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_field_def PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_field_def_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_field_def_name ON field_def (organization_id, kind, name);

CREATE TABLE file (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    place text NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    by_user uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT pk_file PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_file_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT uq_file_organization_id_place UNIQUE (organization_id, place)
);

CREATE TABLE idempotency_key (
    organization_id uuid NOT NULL,
    token_id uuid NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    status integer,
    answer jsonb,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotency_key PRIMARY KEY (organization_id, token_id, key),
    CONSTRAINT fk_idempotency_key_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE
);
CREATE INDEX ix_idempotency_key_organization_id_created_at
    ON idempotency_key (organization_id, created_at);

CREATE TABLE mapping_template (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    provider text NOT NULL,
    remote_object text NOT NULL,
    kind text NOT NULL,
    rules jsonb DEFAULT '[]' NOT NULL,
    by_user uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_mapping_template PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_mapping_template_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT uq_mapping_template_organization_id_name UNIQUE (organization_id, name)
);

CREATE TABLE membership (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    CONSTRAINT pk_membership PRIMARY KEY (organization_id, user_id),
    CONSTRAINT ck_membership_role CHECK (role IN ('viewer', 'pov_owner', 'operator', 'admin', 'auditor')),
    CONSTRAINT fk_membership_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT fk_membership_user_id FOREIGN KEY (user_id)
        REFERENCES app_user (id) ON DELETE CASCADE
);
CREATE INDEX ix_membership_user_id ON membership (user_id);

CREATE TABLE outgoing_webhook (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    events text[] DEFAULT '{}' NOT NULL,
    secrets jsonb DEFAULT '{}' NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    by_user uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_outgoing_webhook PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_outgoing_webhook_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT uq_outgoing_webhook_organization_id_name UNIQUE (organization_id, name)
);

CREATE TABLE record (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    data jsonb DEFAULT '{}' NOT NULL,
    external_id text,
    version integer DEFAULT 1 NOT NULL,
    origin jsonb DEFAULT '{}' NOT NULL,
    created_run uuid,
    created_row bigint,
    hub_only boolean DEFAULT false NOT NULL,
    merged_into uuid,
    deleted_at timestamptz,
    title text,
    status text,
    owner_id uuid,
    amount bigint,
    due_on date,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_record PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_record_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT fk_record_organization_id_merged_into FOREIGN KEY (organization_id, merged_into)
        REFERENCES record (organization_id, id)
);
CREATE INDEX ix_record_amount ON record (organization_id, kind, amount, id);
CREATE INDEX ix_record_created_run ON record (organization_id, created_run);
CREATE INDEX ix_record_merged_into
    ON record (organization_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX ix_record_owner ON record (organization_id, kind, owner_id, id);
CREATE INDEX ix_record_status ON record (organization_id, kind, status, id);
CREATE INDEX ix_record_title ON record (organization_id, kind, title, id);
CREATE INDEX ix_record_updated ON record (organization_id, kind, updated_at DESC, id);
CREATE INDEX ix_record_words
    ON record USING gin (to_tsvector('simple'::regconfig, COALESCE(title, ''::text)));
CREATE UNIQUE INDEX uq_record_external_id
    ON record (organization_id, kind, external_id)
    WHERE external_id IS NOT NULL;

CREATE TABLE session (
    id_hash text NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    seen_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    fresh_at timestamptz,
    address text DEFAULT '' NOT NULL,
    agent text DEFAULT '' NOT NULL,
    data jsonb DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_session PRIMARY KEY (id_hash),
    CONSTRAINT fk_session_user_id FOREIGN KEY (user_id)
        REFERENCES app_user (id) ON DELETE CASCADE,
    CONSTRAINT fk_session_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE
);
CREATE INDEX ix_session_expires_at ON session (expires_at);
CREATE INDEX ix_session_user_id ON session (user_id);

CREATE TABLE usage (
    organization_id uuid NOT NULL,
    day date NOT NULL,
    subject text NOT NULL,
    metric text NOT NULL,
    amount bigint DEFAULT 0 NOT NULL,
    CONSTRAINT pk_usage PRIMARY KEY (organization_id, day, subject, metric),
    CONSTRAINT fk_usage_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE
);

CREATE TABLE webhook_route (
    id uuid NOT NULL,
    provider text NOT NULL,
    route text NOT NULL,
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_webhook_route PRIMARY KEY (id),
    CONSTRAINT uq_webhook_route_provider_route UNIQUE (provider, route),
    CONSTRAINT fk_webhook_route_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE
);
CREATE INDEX ix_webhook_route_organization_id_connection_id
    ON webhook_route (organization_id, connection_id);

CREATE TABLE delivery (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    outgoing_webhook_id uuid NOT NULL,
    event text NOT NULL,
    payload jsonb DEFAULT '{}' NOT NULL,
    state text DEFAULT 'waiting' NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    not_before timestamptz DEFAULT now() NOT NULL,
    status integer,
    error text,
    created_at timestamptz DEFAULT now() NOT NULL,
    done_at timestamptz,
    CONSTRAINT pk_delivery PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_delivery_organization_id_outgoing_webhook_id FOREIGN KEY (organization_id, outgoing_webhook_id)
        REFERENCES outgoing_webhook (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_delivery_state CHECK (state IN ('waiting', 'sending', 'done', 'failed'))
);
CREATE INDEX ix_delivery_due ON delivery (organization_id, state, not_before);
CREATE INDEX ix_delivery_newest ON delivery (organization_id, outgoing_webhook_id, created_at DESC);

CREATE TABLE duplicate (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    record_a uuid NOT NULL,
    record_b uuid NOT NULL,
    score float8 NOT NULL,
    scores jsonb DEFAULT '{}' NOT NULL,
    verdict text DEFAULT 'open' NOT NULL,
    run_id uuid,
    decided_by uuid,
    decided_at timestamptz,
    found_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_duplicate PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_duplicate_organization_id_record_a FOREIGN KEY (organization_id, record_a)
        REFERENCES record (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_duplicate_organization_id_record_b FOREIGN KEY (organization_id, record_b)
        REFERENCES record (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_duplicate_organization_id_record_a_record_b UNIQUE (organization_id, record_a, record_b),
    CONSTRAINT ck_duplicate_order CHECK (record_a < record_b),
    CONSTRAINT ck_duplicate_verdict CHECK (verdict IN ('open', 'merged', 'dismissed'))
);
CREATE INDEX ix_duplicate_organization_id_record_b ON duplicate (organization_id, record_b);
CREATE INDEX ix_duplicate_verdict ON duplicate (organization_id, kind, verdict, score DESC, id);

CREATE TABLE effect (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream_id uuid,
    run_id uuid NOT NULL,
    operation_id uuid NOT NULL,
    run_at timestamptz NOT NULL,
    record_id uuid,
    link_id uuid,
    remote_object text NOT NULL,
    remote_id text,
    action text NOT NULL,
    marker text,
    fields jsonb DEFAULT '{}' NOT NULL,
    associations jsonb DEFAULT '{}' NOT NULL,
    expected jsonb,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    state text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sent_at timestamptz,
    sent_epoch integer,
    not_before timestamptz,
    error text,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_effect PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_effect_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_effect_organization_id_connection_id_stream_id_recor_d92a UNIQUE (organization_id, connection_id, stream_id, record_id, action),
    CONSTRAINT ck_effect_state CHECK (state IN ('planned', 'sending', 'unknown')),
    CONSTRAINT ck_effect_action CHECK (action IN ('create', 'update', 'delete', 'link', 'associate', 'property', 'match', 'skip', 'conflict', 'agree'))
);
CREATE INDEX ix_effect_organization_id_connection_id_state_seq
    ON effect (organization_id, connection_id, state, seq);
CREATE INDEX ix_effect_organization_id_link_id ON effect (organization_id, link_id);

CREATE TABLE import_job (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    file_id uuid NOT NULL,
    kind text NOT NULL,
    state text DEFAULT 'uploaded' NOT NULL,
    columns jsonb DEFAULT '{}' NOT NULL,
    options jsonb DEFAULT '{}' NOT NULL,
    counts jsonb DEFAULT '{}' NOT NULL,
    check_hash text,
    report jsonb DEFAULT '{}' NOT NULL,
    checkpoint jsonb DEFAULT '{}' NOT NULL,
    total integer,
    run_id uuid,
    once_key text,
    cancel_asked boolean DEFAULT false NOT NULL,
    lease_epoch integer DEFAULT 0 NOT NULL,
    lease_until timestamptz,
    start_at timestamptz,
    reason text,
    by_user uuid,
    by_name text,
    created_at timestamptz DEFAULT now() NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_import_job PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_import_job_organization_id_file_id FOREIGN KEY (organization_id, file_id)
        REFERENCES file (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_import_job_state CHECK (state IN ('uploaded', 'mapped', 'checked', 'queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled'))
);
CREATE INDEX ix_import_job_created ON import_job (organization_id, created_at DESC, id DESC);
CREATE INDEX ix_import_job_due ON import_job (state, start_at);

CREATE TABLE notification_rule (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    event text NOT NULL,
    channel text DEFAULT 'page' NOT NULL,
    digest text DEFAULT 'none' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_notification_rule PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_notification_rule_organization_id_user_id FOREIGN KEY (organization_id, user_id)
        REFERENCES membership (organization_id, user_id) ON DELETE CASCADE,
    CONSTRAINT uq_notification_rule_organization_id_user_id_event_channel UNIQUE (organization_id, user_id, event, channel),
    CONSTRAINT ck_notification_rule_channel CHECK (channel IN ('page', 'mail')),
    CONSTRAINT ck_notification_rule_digest CHECK (digest IN ('none', 'hourly', 'daily'))
);

CREATE TABLE oauth_state (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    state_hash text NOT NULL,
    connection_id uuid NOT NULL,
    session_hash text NOT NULL,
    verifier text NOT NULL,
    params jsonb DEFAULT '{}' NOT NULL,
    used_at timestamptz,
    expires_at timestamptz NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_oauth_state PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_oauth_state_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_oauth_state_organization_id_state_hash UNIQUE (organization_id, state_hash)
);

CREATE TABLE preference (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    value jsonb,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_preference PRIMARY KEY (organization_id, user_id, name),
    CONSTRAINT fk_preference_organization_id_user_id FOREIGN KEY (organization_id, user_id)
        REFERENCES membership (organization_id, user_id) ON DELETE CASCADE
);

CREATE TABLE record_key (
    organization_id uuid NOT NULL,
    kind text NOT NULL,
    key_type text NOT NULL,
    value text COLLATE "C" NOT NULL,
    record_id uuid NOT NULL,
    strong boolean NOT NULL,
    CONSTRAINT pk_record_key PRIMARY KEY (organization_id, kind, key_type, value, record_id),
    CONSTRAINT fk_record_key_organization_id_record_id FOREIGN KEY (organization_id, record_id)
        REFERENCES record (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_record_key_organization_id_record_id ON record_key (organization_id, record_id);

CREATE TABLE record_value (
    organization_id uuid NOT NULL,
    record_id uuid NOT NULL,
    field text NOT NULL,
    kind text NOT NULL,
    value text COLLATE "C" NOT NULL,
    CONSTRAINT pk_record_value PRIMARY KEY (organization_id, record_id, field),
    CONSTRAINT fk_record_value_organization_id_record_id FOREIGN KEY (organization_id, record_id)
        REFERENCES record (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_record_value_organization_id_kind_field_value_record_id
    ON record_value (organization_id, kind, field, value, record_id);

CREATE TABLE reference (
    organization_id uuid NOT NULL,
    record_id uuid NOT NULL,
    field text NOT NULL,
    position integer DEFAULT 0 NOT NULL,
    target_id uuid,
    connection_id uuid,
    remote_object text,
    remote_id text,
    label text,
    CONSTRAINT pk_reference PRIMARY KEY (organization_id, record_id, field, position),
    CONSTRAINT fk_reference_organization_id_record_id FOREIGN KEY (organization_id, record_id)
        REFERENCES record (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_reference_organization_id_target_id FOREIGN KEY (organization_id, target_id)
        REFERENCES record (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_reference_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_reference_organization_id_target_id ON reference (organization_id, target_id);
CREATE INDEX ix_reference_parked
    ON reference (organization_id, connection_id, remote_object, remote_id)
    WHERE target_id IS NULL;

CREATE TABLE remote_person (
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    remote_id text NOT NULL,
    email text,
    name text,
    user_id uuid,
    CONSTRAINT pk_remote_person PRIMARY KEY (organization_id, connection_id, remote_id),
    CONSTRAINT fk_remote_person_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE remote_schema (
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    object text NOT NULL,
    fields jsonb DEFAULT '[]' NOT NULL,
    read_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_remote_schema PRIMARY KEY (organization_id, connection_id, object),
    CONSTRAINT fk_remote_schema_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE saved_view (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    page text NOT NULL,
    name text NOT NULL,
    filters jsonb DEFAULT '{}' NOT NULL,
    shared boolean DEFAULT false NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_saved_view PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_saved_view_organization_id_user_id FOREIGN KEY (organization_id, user_id)
        REFERENCES membership (organization_id, user_id) ON DELETE CASCADE,
    CONSTRAINT uq_saved_view_organization_id_user_id_page_name UNIQUE (organization_id, user_id, page, name)
);

CREATE TABLE schedule (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid,
    name text NOT NULL,
    job text NOT NULL,
    every_seconds integer,
    cron text,
    zone text DEFAULT 'UTC' NOT NULL,
    params jsonb DEFAULT '{}' NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    next_at timestamptz,
    last_at timestamptz,
    last_outcome text,
    last_run uuid,
    CONSTRAINT pk_schedule PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_schedule_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT fk_schedule_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_schedule_when CHECK (num_nonnulls(every_seconds, cron) = 1)
);
CREATE INDEX ix_schedule_due ON schedule (next_at) WHERE enabled;
CREATE INDEX ix_schedule_organization_id_connection_id ON schedule (organization_id, connection_id);

CREATE TABLE share (
    organization_id uuid NOT NULL,
    record_id uuid NOT NULL,
    user_id uuid NOT NULL,
    by_user uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_share PRIMARY KEY (organization_id, record_id, user_id),
    CONSTRAINT fk_share_organization_id_record_id FOREIGN KEY (organization_id, record_id)
        REFERENCES record (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_share_organization_id_user_id FOREIGN KEY (organization_id, user_id)
        REFERENCES membership (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX ix_share_organization_id_user_id ON share (organization_id, user_id);

CREATE TABLE stream (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    remote_object text NOT NULL,
    kind text NOT NULL,
    position integer DEFAULT 0 NOT NULL,
    filter jsonb DEFAULT '[]' NOT NULL,
    direction text DEFAULT 'both' NOT NULL,
    creates text DEFAULT 'both' NOT NULL,
    policy text DEFAULT 'newest_wins' NOT NULL,
    first_agreement text DEFAULT 'ask' NOT NULL,
    trigger jsonb DEFAULT '{}' NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    is_primary boolean DEFAULT false NOT NULL,
    watermark timestamptz,
    full_due boolean DEFAULT true NOT NULL,
    full_done_at timestamptz,
    mapping_version integer,
    CONSTRAINT pk_stream PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_stream_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_stream_organization_id_connection_id_remote_object_kind UNIQUE (organization_id, connection_id, remote_object, kind),
    CONSTRAINT uq_stream_organization_id_connection_id_id UNIQUE (organization_id, connection_id, id),
    CONSTRAINT ck_stream_direction CHECK (direction IN ('both', 'to_crm', 'from_crm', 'to_primary')),
    CONSTRAINT ck_stream_creates CHECK (creates IN ('none', 'here', 'there', 'both')),
    CONSTRAINT ck_stream_policy CHECK (policy IN ('ours_wins', 'theirs_wins', 'newest_wins', 'primary_wins', 'manual')),
    CONSTRAINT ck_stream_first_agreement CHECK (first_agreement IN ('ours', 'theirs', 'newest', 'ask'))
);
CREATE UNIQUE INDEX uq_stream_primary ON stream (organization_id, kind) WHERE is_primary;

CREATE TABLE sync_run (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid,
    stream_ids uuid[] DEFAULT '{}' NOT NULL,
    mode text NOT NULL,
    trigger text DEFAULT 'manual' NOT NULL,
    by_user uuid,
    by_name text,
    mapping_versions jsonb DEFAULT '{}' NOT NULL,
    state text DEFAULT 'queued' NOT NULL,
    phase text,
    staged boolean DEFAULT false NOT NULL,
    checkpoint jsonb DEFAULT '{}' NOT NULL,
    decisions jsonb DEFAULT '{}' NOT NULL,
    counts jsonb DEFAULT '{}' NOT NULL,
    total integer,
    lease_epoch integer DEFAULT 0 NOT NULL,
    lease_until timestamptz,
    attempt integer DEFAULT 0 NOT NULL,
    stalled integer DEFAULT 0 NOT NULL,
    wake_at timestamptz,
    reason text,
    reason_code text,
    cancel_asked boolean DEFAULT false NOT NULL,
    plan_hash text,
    plan_of uuid,
    undo_of uuid,
    undone_by uuid,
    once_key text,
    created_at timestamptz DEFAULT now() NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    approved_by uuid,
    approved_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT pk_sync_run PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_sync_run_organization_id FOREIGN KEY (organization_id)
        REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT fk_sync_run_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_sync_run_mode CHECK (mode IN ('full', 'delta', 'record', 'webhook', 'undo', 'import', 'merge')),
    CONSTRAINT ck_sync_run_state CHECK (state IN ('queued', 'running', 'waiting', 'planned', 'succeeded', 'partial', 'failed', 'cancelled')),
    CONSTRAINT ck_sync_run_phase CHECK (phase IN ('settling', 'reading', 'matching', 'writing', 'verifying'))
);
CREATE INDEX ix_sync_run_connection ON sync_run (organization_id, connection_id, created_at DESC);
CREATE INDEX ix_sync_run_created ON sync_run (organization_id, created_at DESC, id DESC);
CREATE INDEX ix_sync_run_due ON sync_run (state, wake_at);
CREATE UNIQUE INDEX uq_sync_run_live
    ON sync_run (organization_id, connection_id)
    WHERE state IN ('queued', 'running', 'waiting') AND connection_id IS NOT NULL;
CREATE UNIQUE INDEX uq_sync_run_once_key
    ON sync_run (organization_id, once_key)
    WHERE once_key IS NOT NULL;

CREATE TABLE wanted (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    what text NOT NULL,
    stream_id uuid,
    record_id uuid,
    remote_object text,
    remote_id text,
    by_user uuid,
    run_id uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_wanted PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_wanted_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_wanted_what CHECK (what IN ('record', 'webhook', 'delta', 'full'))
);
CREATE INDEX ix_wanted_organization_id_connection_id_created_at
    ON wanted (organization_id, connection_id, created_at);
CREATE INDEX ix_wanted_organization_id_record_id ON wanted (organization_id, record_id);

CREATE TABLE webhook_event (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    delivery_id text NOT NULL,
    event text,
    remote_object text,
    remote_id text,
    payload jsonb DEFAULT '{}' NOT NULL,
    state text DEFAULT 'received' NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    error text,
    occurred_at timestamptz,
    received_at timestamptz DEFAULT now() NOT NULL,
    done_at timestamptz,
    CONSTRAINT pk_webhook_event PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_webhook_event_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_webhook_event_organization_id_connection_id_delivery_id UNIQUE (organization_id, connection_id, delivery_id),
    CONSTRAINT ck_webhook_event_state CHECK (state IN ('received', 'observed', 'done', 'ignored', 'failed'))
);
CREATE INDEX ix_webhook_event_state ON webhook_event (organization_id, state, received_at);

CREATE TABLE webhook_subscription (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    remote_id text,
    event text NOT NULL,
    state text DEFAULT 'wanted' NOT NULL,
    secrets jsonb DEFAULT '{}' NOT NULL,
    error text,
    checked_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_webhook_subscription PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_webhook_subscription_organization_id_connection_id FOREIGN KEY (organization_id, connection_id)
        REFERENCES connection (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_webhook_subscription_organization_id_connection_id_remote_id UNIQUE (organization_id, connection_id, remote_id),
    CONSTRAINT ck_webhook_subscription_state CHECK (state IN ('wanted', 'active', 'failed', 'gone'))
);

CREATE TABLE import_row (
    organization_id uuid NOT NULL,
    import_job_id uuid NOT NULL,
    line bigint NOT NULL,
    state text NOT NULL,
    values jsonb DEFAULT '{}' NOT NULL,
    field text,
    code text,
    reason text NOT NULL,
    record_id uuid,
    CONSTRAINT pk_import_row PRIMARY KEY (organization_id, import_job_id, line),
    CONSTRAINT fk_import_row_organization_id_import_job_id FOREIGN KEY (organization_id, import_job_id)
        REFERENCES import_job (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_import_row_state CHECK (state IN ('rejected', 'skipped', 'duplicate', 'warned', 'retried'))
);

CREATE TABLE link (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    record_id uuid NOT NULL,
    remote_object text NOT NULL,
    remote_id text,
    status text DEFAULT 'linked' NOT NULL,
    base_ours jsonb DEFAULT '{}' NOT NULL,
    base_theirs jsonb DEFAULT '{}' NOT NULL,
    mapping_version integer,
    declined jsonb DEFAULT '{}' NOT NULL,
    error text,
    ours_version integer DEFAULT 0 NOT NULL,
    remote_updated_at timestamptz,
    agreed_at timestamptz,
    created_run uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_link PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_link_organization_id_connection_id_stream_id FOREIGN KEY (organization_id, connection_id, stream_id)
        REFERENCES stream (organization_id, connection_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_link_organization_id_record_id FOREIGN KEY (organization_id, record_id)
        REFERENCES record (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_link_organization_id_connection_id_remote_object_remote_id UNIQUE (organization_id, connection_id, remote_object, remote_id),
    CONSTRAINT ck_link_status CHECK (status IN ('linked', 'shadow', 'detached', 'remote_gone', 'local_gone', 'duplicate_suspected'))
);
CREATE INDEX ix_link_organization_id_record_id ON link (organization_id, record_id);
CREATE UNIQUE INDEX uq_link_record
    ON link (organization_id, stream_id, record_id)
    WHERE status <> 'shadow';

CREATE TABLE mapping_version (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    stream_id uuid NOT NULL,
    number integer NOT NULL,
    state text NOT NULL,
    percent integer DEFAULT 100 NOT NULL,
    note text,
    by_user uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    published_at timestamptz,
    CONSTRAINT pk_mapping_version PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_mapping_version_organization_id_stream_id FOREIGN KEY (organization_id, stream_id)
        REFERENCES stream (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_mapping_version_organization_id_stream_id_number UNIQUE (organization_id, stream_id, number),
    CONSTRAINT ck_mapping_version_state CHECK (state IN ('draft', 'published', 'superseded'))
);
CREATE UNIQUE INDEX uq_mapping_version_draft
    ON mapping_version (organization_id, stream_id)
    WHERE state = 'draft';

CREATE TABLE outbox (
    organization_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    record_id uuid NOT NULL,
    version integer NOT NULL,
    rank smallint DEFAULT 1 NOT NULL,
    not_before timestamptz DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    error text,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (organization_id, stream_id, record_id),
    CONSTRAINT fk_outbox_organization_id_stream_id FOREIGN KEY (organization_id, stream_id)
        REFERENCES stream (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_outbox_organization_id_record_id FOREIGN KEY (organization_id, record_id)
        REFERENCES record (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_outbox_organization_id_record_id ON outbox (organization_id, record_id);
CREATE INDEX ix_outbox_organization_id_stream_id_rank_not_before
    ON outbox (organization_id, stream_id, rank, not_before);

CREATE TABLE conflict (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    link_id uuid NOT NULL,
    stream_id uuid NOT NULL,
    record_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    rule_id text NOT NULL,
    field text NOT NULL,
    base jsonb,
    ours jsonb,
    theirs jsonb,
    ours_at timestamptz,
    theirs_at timestamptz,
    ours_by text,
    state text NOT NULL,
    how text,
    resolved_by uuid,
    resolved_at timestamptz,
    run_id uuid,
    seen jsonb DEFAULT '{}' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_conflict PRIMARY KEY (organization_id, id),
    CONSTRAINT fk_conflict_organization_id_link_id FOREIGN KEY (organization_id, link_id)
        REFERENCES link (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_conflict_organization_id_record_id FOREIGN KEY (organization_id, record_id)
        REFERENCES record (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_conflict_state CHECK (state IN ('open', 'resolved', 'dismissed', 'superseded')),
    CONSTRAINT ck_conflict_how CHECK (how IN ('ours', 'theirs', 'merged', 'typed', 'by_policy'))
);
CREATE INDEX ix_conflict_organization_id_record_id ON conflict (organization_id, record_id);
CREATE INDEX ix_conflict_state ON conflict (organization_id, state, created_at DESC, id DESC);
CREATE UNIQUE INDEX uq_conflict_open
    ON conflict (organization_id, link_id, rule_id) WHERE state = 'open';

CREATE TABLE field_rule (
    organization_id uuid NOT NULL,
    mapping_version_id uuid NOT NULL,
    rule_id text NOT NULL,
    position integer DEFAULT 0 NOT NULL,
    ours text NOT NULL,
    theirs text NOT NULL,
    direction text DEFAULT 'both' NOT NULL,
    required boolean DEFAULT false NOT NULL,
    default_value jsonb,
    steps jsonb DEFAULT '[]' NOT NULL,
    validation jsonb DEFAULT '{}' NOT NULL,
    policy text,
    first_agreement text,
    on_change text,
    CONSTRAINT pk_field_rule PRIMARY KEY (organization_id, mapping_version_id, rule_id),
    CONSTRAINT fk_field_rule_organization_id_mapping_version_id FOREIGN KEY (organization_id, mapping_version_id)
        REFERENCES mapping_version (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_field_rule_direction CHECK (direction IN ('both', 'to_crm', 'from_crm')),
    CONSTRAINT ck_field_rule_policy CHECK (policy IN ('ours_wins', 'theirs_wins', 'newest_wins', 'primary_wins', 'manual')),
    CONSTRAINT ck_field_rule_first_agreement CHECK (first_agreement IN ('ours', 'theirs', 'newest', 'ask'))
);

CREATE TABLE link_alias (
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    remote_object text NOT NULL,
    remote_id text NOT NULL,
    link_id uuid NOT NULL,
    CONSTRAINT pk_link_alias PRIMARY KEY (organization_id, connection_id, remote_object, remote_id),
    CONSTRAINT fk_link_alias_organization_id_link_id FOREIGN KEY (organization_id, link_id)
        REFERENCES link (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_link_alias_organization_id_link_id ON link_alias (organization_id, link_id);
