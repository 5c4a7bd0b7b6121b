-- Jobs. An active one is running while a claim holds it with its present token, and ready otherwise: a claim writes one row
-- for all that it takes, and none of theirs. Times are RFC 3339 text in UTC with six digits, so that text order is time order.
create table dolmen_job (
    id blob not null primary key,
    kind text not null,
    queue text not null,
    state text not null check (state in ('active', 'done', 'dead', 'discarded')),
    tenant blob,
    priority integer not null,
    due_at text not null,
    attempt integer not null default 0,
    max_attempts integer not null,
    crashes integer not null default 0,
    -- Ascends with every end of a claim that leaves the job active: the fencing token.
    token integer not null default 1,
    timeout_ms integer not null,
    unique_key text,
    -- The states in which it holds its unique key: 1 for active, 2 for done, 4 for dead, added up.
    unique_states integer not null default 1,
    -- The period in which its unique key is unique.
    unique_period integer not null default 0,
    -- Active jobs with one ordering key, which begins with their tenant, run one after the other.
    ordering_key text,
    created_at text not null,
    finished_at text,
    last_error text,
    payload text not null,
    version integer not null default 1
) strict;
-- A claim reads from the front of each queue and priority. With the kind and the token in it, jobs of unknown kinds are passed
-- over, and jobs are counted, without a look at the table.
create index dolmen_job_front on dolmen_job (queue, priority, due_at, id, kind, token) where state = 'active';
create index dolmen_job_finished on dolmen_job (finished_at) where state in ('done', 'discarded');
create index dolmen_job_dead on dolmen_job (id) where state = 'dead';
create unique index dolmen_job_unique on dolmen_job (unique_key, kind, unique_period, coalesce(tenant, x''))
    where unique_key is not null
        and (unique_states & case state when 'active' then 1 when 'done' then 2 when 'dead' then 4 else 0 end) <> 0;
create index dolmen_job_line on dolmen_job (ordering_key, created_at, id)
    where state = 'active' and ordering_key is not null;
-- Jobs whose last chance it is: one more crash, the third, makes them dead.
create index dolmen_job_last_chance on dolmen_job (crashes) where state = 'active' and crashes >= 2;

-- Queues that nothing is claimed from.
create table dolmen_job_paused (
    queue text not null primary key
) strict, without rowid;

-- What workers hold: the jobs that one claim took, and until when. The jobs are JSON, `[["<id in hexadecimal>", <token>], ..]`.
create table dolmen_job_claim (
    id blob not null primary key,
    worker blob not null,
    lease_until text not null,
    jobs text not null
) strict, without rowid;

create view dolmen_job_running as
    select unhex(json_extract(held.value, '$[0]')) as job, json_extract(held.value, '$[1]') as token, claim.id as claim,
        claim.lease_until
    from dolmen_job_claim as claim, json_each(claim.jobs) as held;

-- Jobs that wait for another one of their line: an earlier one that is active, or one that is running.
create view dolmen_job_behind as
    select id from dolmen_job as waiting
    where ordering_key is not null and (
        exists (
            select 1 from dolmen_job as earlier
            where earlier.ordering_key = waiting.ordering_key and earlier.state = 'active'
                and (earlier.created_at, earlier.id) < (waiting.created_at, waiting.id))
        or exists (
            select 1 from dolmen_job as other
            where other.ordering_key = waiting.ordering_key and other.state = 'active'
                and (other.id, other.token) in (select job, token from dolmen_job_running)));

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
