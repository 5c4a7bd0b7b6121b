-- Jobs. An active one is running while a claim holds it with its present token, and ready otherwise: a claim writes one row
-- for all that it takes, and none of theirs.
create table dolmen_job (
    id uuid not null primary key,
    kind text not null,
    queue text not null,
    state text not null check (state in ('active', 'done', 'dead', 'discarded')),
    tenant uuid,
    priority smallint not null,
    due_at timestamptz not null,
    attempt integer not null default 0,
    max_attempts integer not null,
    crashes integer not null default 0,
    -- Ascends with every end of a claim that leaves the job active: the fencing token.
    token bigint not null default 1,
    timeout_ms bigint not null,
    unique_key text,
    -- The states in which it holds its unique key: 1 for active, 2 for done, 4 for dead, added up.
    unique_states smallint not null default 1,
    -- The period in which its unique key is unique.
    unique_period bigint not null default 0,
    -- Active jobs with one ordering key, which begins with their tenant, run one after the other.
    ordering_key text,
    created_at timestamptz not null,
    finished_at timestamptz,
    last_error text,
    payload text not null,
    version integer not null default 1
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- A claim reads from the front of each queue and priority.
create index dolmen_job_front on dolmen_job (queue, priority, due_at, id) where state = 'active';
create index dolmen_job_finished on dolmen_job (finished_at) where state in ('done', 'discarded');
create index dolmen_job_dead on dolmen_job (id) where state = 'dead';
create unique index dolmen_job_unique
    on dolmen_job (unique_key, kind, unique_period, coalesce(tenant, '00000000-0000-0000-0000-000000000000'::uuid))
    where unique_key is not null
        and (unique_states & case state when 'active' then 1 when 'done' then 2 when 'dead' then 4 else 0 end) <> 0;
create index dolmen_job_line on dolmen_job (ordering_key, created_at, id)
    where state = 'active' and ordering_key is not null;
-- Jobs whose last chance it is: one more crash, the third, makes them dead.
create index dolmen_job_last_chance on dolmen_job (crashes) where state = 'active' and crashes >= 2;

-- Queues that nothing is claimed from.
create table dolmen_job_paused (
    queue text not null primary key
);

-- What workers hold: the jobs that one claim took, and until when.
create table dolmen_job_claim (
    id uuid not null primary key,
    worker uuid not null,
    lease_until timestamptz not null,
    jobs uuid[] not null,
    tokens bigint[] not null,
    -- Of its jobs none stands behind this place: claims that begin behind it need not look at them.
    latest_due_at timestamptz not null,
    latest_job uuid not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Compressing them would take longer than writing them.
alter table dolmen_job_claim alter column jobs set storage external, alter column tokens set storage external;

create view dolmen_job_running as
    select held.job, held.token, claim.id as claim, claim.lease_until, claim.latest_due_at, claim.latest_job
    from dolmen_job_claim as claim, unnest(claim.jobs, claim.tokens) as held(job, token);

-- Whether a job is the first of those that are active in its line, and none of them is running.
create function dolmen_is_first(line text, at timestamptz, job uuid) returns boolean
language sql stable as $$
    select not exists (
            select 1 from dolmen_job
            where state = 'active' and ordering_key = line and (created_at, id) < (at, dolmen_is_first.job))
        and not exists (
            select 1 from dolmen_job
            where state = 'active' and ordering_key = line
                and (id, token) in (select held.job, held.token from dolmen_job_running as held))
$$;

-- What is kept of a job that is done.
create type dolmen_job_record as (
    id uuid, kind text, queue text, tenant uuid, priority smallint, due_at timestamptz, attempt integer, max_attempts integer,
    crashes integer, unique_key text, ordering_key text, created_at timestamptz, last_error text, payload text, version integer);

-- Jobs that are done, one row for all that one call completed: that costs less than a row for each. Those that hold a unique key
-- also when they are done, and long ones, stay where they are.
create table dolmen_job_done (
    finished_at timestamptz not null,
    id bigint not null generated always as identity,
    -- No job has a smaller id, and none a greater one.
    first_job uuid not null,
    last_job uuid not null,
    size integer not null,
    jobs dolmen_job_record[] not null,
    primary key (finished_at, id)
);
alter table dolmen_job_done alter column jobs set storage external;
create index dolmen_job_done_span on dolmen_job_done (last_job, first_job);

-- Completes one job; false when its lease does not hold. `dolmen_complete_all` would take twice as long for it. Both have one plan for all
-- calls, along the primary key also when it was made while there were few jobs: left to itself the server makes plans anew as
-- lists change in length, and that takes longer than to complete a job.
create function dolmen_complete(completed uuid, held_token bigint) returns boolean
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
    is_done boolean;
begin
    with done as (
        delete from dolmen_job
        where id = dolmen_complete.completed and token = dolmen_complete.held_token and state || '' = 'active'
        returning id, token, timeout_ms, unique_states, unique_period,
            unique_states & 2 <> 0 or octet_length(payload) > 2000 as stays,
            row(id, kind, queue, tenant, priority, due_at, attempt + 1, max_attempts, crashes, unique_key, ordering_key, created_at,
                last_error, payload, version)::dolmen_job_record as job
    ), stay as (
        insert into dolmen_job (id, kind, queue, tenant, priority, due_at, attempt, max_attempts, crashes, unique_key, ordering_key,
            created_at, last_error, payload, version, token, timeout_ms, unique_states, unique_period, state, finished_at)
        select (job).*, token, timeout_ms, unique_states, unique_period, 'done', statement_timestamp() from done where stays
    ), batch as (
        insert into dolmen_job_done (finished_at, first_job, last_job, size, jobs)
        select statement_timestamp(), id, id, 1, array[job] from done where not stays
    )
    select exists (select 1 from done) into is_done;
    return is_done;
end
$$;

-- Completes jobs, and removes claims that are over; returns the jobs whose leases do not hold. Most have the usual token; comparing one
-- value is quicker than looking for a pair in a list. The ids decide which rows are read, through the primary key: a state written as
-- the indexes have it might lead through all active jobs.
create function dolmen_complete_all(
    completed uuid[], usual_token bigint, others uuid[], other_tokens bigint[], over uuid[], first_job uuid, last_job uuid)
returns setof uuid
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
    return query
    with ended as (
        delete from dolmen_job_claim where id = any(dolmen_complete_all.over)
    ), done as (
        delete from dolmen_job
        where id = any(dolmen_complete_all.completed) and state || '' = 'active'
            and (token = dolmen_complete_all.usual_token and id not in (select unnest(dolmen_complete_all.others))
                or (id, token) in (select * from unnest(dolmen_complete_all.others, dolmen_complete_all.other_tokens)))
        returning id, token, timeout_ms, unique_states, unique_period,
            unique_states & 2 <> 0 or octet_length(payload) > 2000 as stays,
            row(id, kind, queue, tenant, priority, due_at, attempt + 1, max_attempts, crashes, unique_key, ordering_key, created_at,
                last_error, payload, version)::dolmen_job_record as job
    ), stay as (
        insert into dolmen_job (id, kind, queue, tenant, priority, due_at, attempt, max_attempts, crashes, unique_key, ordering_key,
            created_at, last_error, payload, version, token, timeout_ms, unique_states, unique_period, state, finished_at)
        select (job).*, token, timeout_ms, unique_states, unique_period, 'done', statement_timestamp() from done where stays
    ), batch as (
        insert into dolmen_job_done (finished_at, first_job, last_job, size, jobs)
        select statement_timestamp(), dolmen_complete_all.first_job, dolmen_complete_all.last_job, count(*), array_agg(job)
        from done where not stays having count(*) > 0
    )
    select id from unnest(dolmen_complete_all.completed) as lease(id)
    where (select count(*) from done) < cardinality(dolmen_complete_all.completed) and id not in (select id from done);
end
$$;

-- Those that match, with the `most` newest among them: batches are read until none is left that could hold a newer one. Null matches
-- all.
create function dolmen_done_jobs(
    of_kind text, of_queue text, of_tenant uuid, in_line text, reason text, before uuid, most bigint)
returns table (job dolmen_job_record, finished_at timestamptz)
language plpgsql stable as $$
declare
    batch record;
    matching dolmen_job_record[];
    newest uuid[] := '{}';
begin
    for batch in
        select done.last_job, done.jobs, done.finished_at from dolmen_job_done as done
        where dolmen_done_jobs.before is null or done.first_job < dolmen_done_jobs.before
        order by done.last_job desc
    loop
        exit when newest[least(most, 2147483647)::integer] > batch.last_job;
        matching := array(
            select kept from unnest(batch.jobs) as kept
            where (of_kind is null or kept.kind = of_kind) and (of_queue is null or kept.queue = of_queue)
                and (of_tenant is null or kept.tenant = of_tenant) and (in_line is null or kept.ordering_key = in_line)
                and (reason is null or strpos(kept.last_error, reason) > 0) and (before is null or kept.id < before));
        continue when matching = '{}';
        return query select unnest(matching), batch.finished_at;
        newest := array(
            select id from (select unnest(newest) as id union all select (unnest(matching)).id) as found
            order by id desc limit most);
    end loop;
end $$;

-- Takes due jobs in one round trip; they come as one row of lists, and none when there is none: that costs less than a row each, here and
-- in the client. Claims take turns: each sees what those before it have taken, since a statement within a
-- function sees what was committed before it began. No queues means all; `newer` has the known versions above the first, as
-- `<kind> <version>`.
-- `fronts` are places to begin after, `[{"queue": .., "priority": .., "due_at": .., "id": ..}, ..]`. `others` looks for queues and
-- priorities besides, and begins at their very front; it steps over those that are given.
create function dolmen_claim(
    claim uuid, worker uuid, kinds text[], newer text[], queues text[], except_queues text[], last_chances boolean,
    most bigint, lease_micros bigint, fronts jsonb, others boolean)
returns table (
    claimed_at timestamptz, ids uuid[], token bigint[], kind text[], queue text[], payload text[], version bigint[], tenant uuid[],
    attempt bigint[], max_attempts bigint[], timeout_ms bigint[], priority bigint[], due_at timestamptz[], is_head boolean[])
language plpgsql volatile
-- One plan for all claims: planning takes as long as claiming. It walks along the index also when it was made while there were
-- few jobs, or before anybody counted them.
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'jobs are claimed in a transaction of the level read committed';
    end if;
    -- `jobs` in ASCII. It ends with the transaction, which is this one statement.
    perform pg_advisory_xact_lock(1785684595);
    return query
    with recursive known as (
        select queue, priority, due_at, id
        from jsonb_to_recordset(coalesce(dolmen_claim.fronts, '[]')) as front(queue text, priority smallint, due_at timestamptz, id uuid)
    ), bound(queue, priority) as (
        -- Before all queues, and behind.
        select '', '-32768'::smallint union all select queue, priority from known union all select repeat('z', 65), '32767'::smallint
    ), step(queue, priority, due_at, until_queue, until_priority) as (
        (select queue, priority, null::timestamptz, lead(queue) over bounds, lead(priority) over bounds from bound
         where dolmen_claim.others and not dolmen_claim.last_chances
         window bounds as (order by queue, priority))
        union all
        select next.queue, next.priority, next.due_at, step.until_queue, step.until_priority from step cross join lateral (
            -- Compared as a pair, the upper bound would not end the walk through the index.
            (select queue, priority, due_at from dolmen_job
             where state = 'active' and (queue, priority) > (step.queue, step.priority) and queue < step.until_queue
             order by queue, priority, due_at limit 1)
            union all
            (select queue, priority, due_at from dolmen_job
             where state = 'active' and queue = step.until_queue and priority < step.until_priority
                and priority > case when step.until_queue = step.queue then step.priority else '-32768' end
             order by queue, priority, due_at limit 1)
            limit 1) as next
    ), front as (
        select queue, priority, due_at, '-infinity'::timestamptz as after_due_at,
            '00000000-0000-0000-0000-000000000000'::uuid as after_id
        from step where due_at <= statement_timestamp()
        union all
        select queue, priority, due_at, due_at, id from known
    ), open_front as (
        select * from front
        where (cardinality(dolmen_claim.queues) = 0 or queue = any(dolmen_claim.queues))
            and queue <> all(dolmen_claim.except_queues)
            and queue not in (select queue from dolmen_job_paused)
        order by priority, due_at, queue
    ), due as (
        select job.* from open_front as front cross join lateral (
            select id, token, kind, queue, payload, version, tenant, attempt, max_attempts, timeout_ms, priority, due_at,
                ordering_key
            from dolmen_job as waiting
            where state = 'active' and queue = front.queue and priority = front.priority
                and (due_at, id) > (front.after_due_at, front.after_id)
                and due_at <= statement_timestamp() and crashes < 2
                and kind = any(dolmen_claim.kinds)
                and (version = 1 or kind || ' ' || version = any(dolmen_claim.newer))
                and (id, token) not in (
                    select job, token from dolmen_job_running
                    where (latest_due_at, latest_job) > (
                        select after_due_at, after_id from open_front order by after_due_at, after_id limit 1))
                and (ordering_key is null or dolmen_is_first(ordering_key, created_at, id))
            order by due_at, id limit dolmen_claim.most) as job
        union all
        select id, token, kind, queue, payload, version, tenant, attempt, max_attempts, timeout_ms, priority, due_at,
            ordering_key
        from dolmen_job
        where dolmen_claim.last_chances and state = 'active' and crashes >= 2 and due_at <= statement_timestamp()
            and (cardinality(dolmen_claim.queues) = 0 or queue = any(dolmen_claim.queues))
            and queue <> all(dolmen_claim.except_queues)
            and queue not in (select queue from dolmen_job_paused)
            and kind = any(dolmen_claim.kinds)
            and (version = 1 or kind || ' ' || version = any(dolmen_claim.newer))
            and (id, token) not in (select job, token from dolmen_job_running)
            and (ordering_key is null or dolmen_is_first(ordering_key, created_at, id))
        limit dolmen_claim.most
    ), taken as (
        select array_agg(id) as ids, array_agg(token) as token, array_agg(kind) as kind, array_agg(queue) as queue,
            array_agg(payload) as payload, array_agg(version::bigint) as version, array_agg(tenant) as tenant,
            array_agg(attempt::bigint) as attempt, array_agg(max_attempts::bigint) as max_attempts,
            array_agg(timeout_ms) as timeout_ms, array_agg(priority::bigint) as priority, array_agg(due_at) as due_at,
            array_agg(ordering_key is not null) as is_head, max(due_at) as latest_due_at
        from due having count(*) > 0
    ), claimed as (
        insert into dolmen_job_claim (id, worker, lease_until, jobs, tokens, latest_due_at, latest_job)
        select dolmen_claim.claim, dolmen_claim.worker,
            statement_timestamp() + dolmen_claim.lease_micros * interval '1 microsecond', ids, token, latest_due_at,
            -- Those of one front come in order; of several, no id is taken for greater.
            case when not dolmen_claim.last_chances and (select count(*) from open_front) = 1
                then ids[cardinality(ids)] else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end
        from taken
    )
    select statement_timestamp(), ids, token, kind, queue, payload, version, tenant, attempt, max_attempts, timeout_ms, priority,
        due_at, is_head from taken;
end $$;

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
