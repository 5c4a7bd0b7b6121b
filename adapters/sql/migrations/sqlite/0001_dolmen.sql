-- Jobs. Times are RFC 3339 text in UTC with six digits, so that text order is time order.
create table dolmen_job (
    id blob not null primary key,
    kind text not null,
    queue text not null,
    state text not null check (state in ('ready', 'running', 'done', 'dead', 'discarded')),
    tenant blob,
    priority integer not null,
    due_at text not null,
    attempt integer not null default 0,
    max_attempts integer not null,
    crashes integer not null default 0,
    -- Ascends with every claim: the fencing token.
    token integer not null default 0,
    worker blob,
    lease_until text,
    timeout_ms integer not null,
    unique_key text,
    created_at text not null,
    finished_at text,
    last_error text,
    payload text not null
) strict;
-- A claim reads from the front of each queue and priority; a claimed job leaves the index. With the kind in it, jobs of
-- unknown kinds are passed over, and jobs are counted, without a look at the table.
create index dolmen_job_claim on dolmen_job (queue, priority, due_at, id, kind) where state = 'ready';
create index dolmen_job_lease on dolmen_job (lease_until) where state = 'running';
create index dolmen_job_finished on dolmen_job (finished_at) where state in ('done', 'discarded');
create index dolmen_job_dead on dolmen_job (id) where state = 'dead';
create unique index dolmen_job_unique on dolmen_job (unique_key, kind, coalesce(tenant, x''))
    where unique_key is not null and state in ('ready', 'running');

-- Ticks of schedules that were published.
create table dolmen_schedule_tick (
    schedule text not null,
    tick text not null,
    primary key (schedule, tick)
) strict, without rowid;

-- Requests and messages that were handled. The scope is the tenant, or 16 zero bytes for the system.
create table dolmen_inbox (
    scope blob not null,
    consumer text not null,
    message text not null,
    fingerprint blob not null,
    outcome blob not null default x'',
    claimed_at text not null,
    primary key (scope, consumer, message)
) strict, without rowid;
create index dolmen_inbox_claimed on dolmen_inbox (claimed_at);

-- Sessions, found by the hash of their token.
create table dolmen_session (
    token blob not null primary key,
    user_id blob not null,
    tenant blob not null,
    role text not null,
    expires_at text not null
) strict, without rowid;
create index dolmen_session_expires on dolmen_session (expires_at);

-- Who did what: rows are added and never changed.
create table dolmen_audit (
    id blob not null primary key,
    tenant blob,
    at text not null,
    actor blob,
    action text not null,
    target text not null
) strict, without rowid;
create index dolmen_audit_tenant on dolmen_audit (tenant, id);
