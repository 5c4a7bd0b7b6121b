-- Jobs.
create table dolmen_job (
    id uuid not null primary key,
    kind text not null,
    queue text not null,
    state text not null check (state in ('ready', 'running', 'done', 'dead', 'discarded')),
    tenant uuid,
    priority smallint not null,
    due_at timestamptz not null,
    attempt integer not null default 0,
    max_attempts integer not null,
    crashes integer not null default 0,
    -- Ascends with every claim: the fencing token.
    token bigint not null default 0,
    worker uuid,
    lease_until timestamptz,
    timeout_ms bigint not null,
    unique_key text,
    created_at timestamptz not null,
    finished_at timestamptz,
    last_error text,
    payload text not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- A claim reads from the front of each queue and priority; a claimed job leaves the index.
create index dolmen_job_claim on dolmen_job (queue, priority, due_at, id) where state = 'ready';
create index dolmen_job_lease on dolmen_job (lease_until) where state = 'running';
create index dolmen_job_finished on dolmen_job (finished_at) where state in ('done', 'discarded');
create index dolmen_job_dead on dolmen_job (id) where state = 'dead';
create unique index dolmen_job_unique
    on dolmen_job (unique_key, kind, coalesce(tenant, '00000000-0000-0000-0000-000000000000'::uuid))
    where unique_key is not null and state in ('ready', 'running');

-- Ticks of schedules that were published.
create table dolmen_schedule_tick (
    schedule text not null,
    tick timestamptz not null,
    primary key (schedule, tick)
);

-- Requests and messages that were handled. The scope is the tenant, or the nil id for the system.
create table dolmen_inbox (
    scope uuid not null,
    consumer text not null,
    message text not null,
    fingerprint bytea not null,
    outcome bytea not null default ''::bytea,
    claimed_at timestamptz not null,
    primary key (scope, consumer, message)
);
create index dolmen_inbox_claimed on dolmen_inbox (claimed_at);

-- Sessions, found by the hash of their token.
create table dolmen_session (
    token bytea not null primary key,
    user_id uuid not null,
    tenant uuid not null,
    role text not null,
    expires_at timestamptz not null
);
create index dolmen_session_expires on dolmen_session (expires_at);

-- Who did what: rows are added and never changed.
create table dolmen_audit (
    id uuid not null primary key,
    tenant uuid,
    at timestamptz not null,
    actor uuid,
    action text not null,
    target text not null
);
create index dolmen_audit_tenant on dolmen_audit (tenant, id);
